/** Inputs of every kind, made from valid programs and files. */
export function makeInputs(texts, files, random) {
  const { below, pick } = random;
  const split = text => text.match(/\w+|->|<-|~\/|\.\.\.?|[=!<>]=|\/\/.*|"[^"\n]*"|\s+|[^\w\s]/g) ?? [];
  const programs = texts.map(split);
  const pool = [...new Set(programs.flat().filter(word => word.trim() !== ''))];
  const extremes = [
    '0',
    '-1',
    '1e9',
    '1e308',
    '9007199254740993',
    '1e-400',
    '""',
    '[]',
    '()',
    '{}',
    '\n',
    '…',
  ];
  const word = () => (below(4) === 0 ? pick(extremes) : pick(pool));

  const program = () => {
    const words = [...pick(programs)];
    for (let edits = 1 + below(4); edits > 0; edits--) {
      const at = below(words.length);
      switch (below(7)) {
        case 0:
          words.splice(at, 1 + below(5));
          break;
        case 1:
          words.splice(at, 0, word());
          break;
        case 2:
          words.splice(at, 1, word());
          break;
        case 3:
          words.splice(at, 0, ...words.slice(at, at + below(30)));
          break;
        case 4: {
          const other = pick(programs);
          const from = below(other.length);
          words.splice(at, below(20), ...other.slice(from, from + below(60)));
          break;
        }
        case 5: {
          const to = below(words.length);
          [words[at], words[to]] = [words[to], words[at]];
          break;
        }
        default: {
          const text = words[at] ?? '';
          const place = below(text.length + 1);
          words[at] =
            text.slice(0, place) +
            String.fromCharCode(below(3) === 0 ? below(0xffff) : below(128)) +
            text.slice(place + below(2));
        }
      }
    }
    return words.join('');
  };

  const words = () => Array.from({ length: below(200) }, word).join(pick(['', ' ', ' ', '\n']));

  const bytes = () => {
    const text = Buffer.from(below(2) === 0 ? pick(texts).slice(0, below(400)) : '');
    const noise = Uint8Array.from({ length: below(200) }, () => below(256));
    return new Uint8Array(Buffer.concat([text, noise]));
  };

  const safetensors = () => {
    let file = Uint8Array.from(pick(files));
    const header = () => Math.min(file.length, 8 + Number(new DataView(file.buffer).getBigUint64(0, true)));
    for (let edits = 1 + below(3); edits > 0 && file.length >= 8; edits--) {
      const end = header();
      switch (below(5)) {
        case 0:
          file = file.slice(0, below(file.length + 1));
          break;
        case 1:
          file[below(Math.min(file.length, end))] = below(256);
          break;
        case 2:
          file[below(8)] = pick([0, 1, 127, 128, 255]);
          break;
        default: {
          // A number or a word of the header becomes another, and the length follows.
          const text = Buffer.from(file.subarray(8, end)).toString();
          const parts = text.split(/(\d+|"[^"]*"|[[\]{},:])/);
          parts[below(parts.length)] = pick([
            '0',
            '-1',
            '1e999',
            '9007199254740992',
            '4294967296',
            '1.5',
            'null',
            '[]',
            '{}',
            '"F32"',
            '"I64"',
            '"__proto__"',
            '"__metadata__"',
            '',
            '"dtype"',
            '"\\ud800"',
            '[1,2]',
            ...parts.slice(0, 20),
          ]);
          const changed = Buffer.from(parts.join(''));
          const size = Buffer.alloc(8);
          size.writeBigUInt64LE(BigInt(changed.length));
          file = new Uint8Array(Buffer.concat([size, changed, file.subarray(end)]));
        }
      }
    }
    return file;
  };

  return { program, words, bytes, safetensors };
}

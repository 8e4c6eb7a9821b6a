/** The first byte that is no UTF-8: where it is among the bytes, and where its replacement is in the text. */
export interface WrongByte {
  readonly offset: number;
  readonly at: number;
  /** Absent where the bytes end within a character. */
  readonly byte: number | undefined;
}

const replacement = '\ufffd';

/** Decodes bytes. A byte order mark is left out; where bytes are wrong, the text has replacements and `wrong` is set. */
export function decodeUtf8(bytes: Uint8Array): { readonly text: string; readonly wrong?: WrongByte } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    return { text, wrong: firstWrong(bytes, text) };
  }
}

/** The first mark of replacement that the bytes do not spell out themselves. */
function firstWrong(bytes: Uint8Array, text: string): WrongByte {
  const encoder = new TextEncoder();
  let offset = 0;
  let from = 0;
  for (;;) {
    const at = text.indexOf(replacement, from);
    offset += encoder.encode(text.slice(from, at)).length;
    const spelled = bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd;
    if (!spelled) return { offset, at, byte: wrongByte(bytes, offset) };
    offset += 3;
    from = at + 1;
  }
}

/** The byte at which a sequence goes wrong, which may begin well; undefined where it only stops. */
function wrongByte(bytes: Uint8Array, offset: number): number | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    decoder.decode(bytes.subarray(offset), { stream: true });
    return undefined;
  } catch {
    return bytes[offset];
  }
}

/** Words that may not name a binding in an ES module, and the globals that generated code uses. */
const reserved = new Set(
  (
    'arguments async await break case catch class const continue debugger default delete do else enum eval export ' +
    'extends false finally for function get if implements import in instanceof interface let new null of package ' +
    'private protected public return set static super switch this throw true try typeof undefined var void while ' +
    'with yield NaN Infinity Math Object Promise RangeError globalThis string number boolean any unknown never ' +
    'object symbol bigint readonly declare type'
  ).split(' '),
);

export function isIdentifier(text: string): boolean {
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(text) && !reserved.has(text);
}

/** The nearest identifier: other characters become `_`. */
export function identifier(wish: string): string {
  const text = wish.replace(/[^A-Za-z0-9_$]+/g, '_');
  if (isIdentifier(text)) return text;
  return isIdentifier(`_${text}`) ? `_${text}` : '_';
}

/** Hands out identifiers, each once. */
export class Names {
  readonly #taken: Set<string>;

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken);
  }

  fresh(wish: string): string {
    const base = identifier(wish);
    let name = base;
    for (let n = 2; this.#taken.has(name); n++) name = `${base}_${n}`;
    this.#taken.add(name);
    return name;
  }
}

export function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** A string literal in single quotes, whatever the text. */
export function quote(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  // Line separators, and what has no width: it could make code look other than it is.
  return `'${inner.replace(/[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu, escaped)}'`;
}

/** As UTF-16 escapes. */
const escaped = (text: string): string =>
  text.replace(/./gs, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A key of an object literal. `__proto__` must be computed, or it would set the prototype. */
export function propertyKey(name: string): string {
  if (name === '__proto__') return "['__proto__']";
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) ? name : quote(name);
}

/** A member name in a type: names alone matter there, so no key is special. */
export function memberKey(name: string): string {
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) ? name : quote(name);
}

/** A template literal that holds exactly this text. */
export function template(text: string): string {
  return `\`${text.replace(/[\\`]|\$\{/g, '\\$&').replaceAll('\r', '\\r')}\``;
}

/** A file beside the module, as a relative address. */
export function fileAddress(name: string): string {
  const bytes = [...new TextEncoder().encode(name)];
  const escaped = bytes.map(b =>
    /[\w.~-]/.test(String.fromCharCode(b)) ? String.fromCharCode(b) : `%${b.toString(16).padStart(2, '0')}`,
  );
  return `./${escaped.join('')}`;
}

/** Text for a comment: one line that cannot end it, nothing that cannot be seen. */
export function commentText(text: string): string {
  return text
    .replace(/[\n\v\f\r\u0085\u2028\u2029]+/g, ' ')
    .replace(/\p{Cc}|\p{Cf}/gu, '\ufffd')
    .replaceAll('*/', '* /');
}

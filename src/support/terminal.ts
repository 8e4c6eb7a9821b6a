const codes = { bold: 1, red: '1;31', yellow: '1;33', blue: 34, cyan: 36 } as const;

export type Paint = (color: keyof typeof codes, text: string) => string;

/** Colours text for a terminal, or leaves it alone. */
export function painter(enabled: boolean): Paint {
  return enabled ? (color, text) => `\u001b[${codes[color]}m${text}\u001b[0m` : (_, text) => text;
}

/** Text of unknown origin in which no character moves the cursor or hides another; line breaks stay. */
export function printable(text: string): string {
  // Controls, surrogates without a partner, and the marks that turn the direction of writing.
  return text.replace(/(?!\n)[\p{Cc}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '\ufffd');
}

/**
 * The first name that stands twice in one object of a valid JSON text, or undefined. `JSON.parse` keeps the last of
 * such entries without a word. One pass, no recursion.
 */
export function duplicateName(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
        open.push(new Set());
        break;
      case '[':
        open.push(undefined);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case '"': {
        const start = at++;
        while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
        let next = at + 1;
        while (' \t\r\n'.includes(text[next] ?? 'x')) next++;
        const names = open.at(-1);
        if (!names || text[next] !== ':') break;
        const name = JSON.parse(text.slice(start, at + 1)) as string;
        if (names.has(name)) return name;
        names.add(name);
        at = next;
      }
    }
  }
  return undefined;
}

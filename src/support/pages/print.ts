import { type Page, pages } from './index.ts';

const WIDTH = 100;

/** The page as a terminal shows it. Ends with a line break. */
export function printPage(page: Page): string {
  const parts = [
    `${page.code}: ${page.title}`,
    wrap(page.cause),
    `Example\n\n${indent(page.example)}`,
    `Cure: ${wrap(page.cure, 'Cure: '.length)}`,
    ...(page.fixed === undefined ? [] : [indent(page.fixed)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** `docs/errors.md`: all pages. */
export function printManual(): string {
  const sections = [...pages.values()].map(page =>
    [
      `## ${page.code}: ${page.title}`,
      wrap(page.cause, 0, 110),
      fence(page, page.example),
      `**Cure.** ${wrap(page.cure, '**Cure.** '.length, 110)}`,
      ...(page.fixed === undefined ? [] : [fence(page, page.fixed)]),
    ].join('\n\n'),
  );
  return `${intro}\n\n${sections.join('\n\n')}\n`;
}

const intro = `# Errors and warnings

Made from the pages in \`src/support/pages\`, which \`dnnc explain E0204\` shows too; \`npx vitest run
test/diagnostics.test.ts -u\` writes it anew. \`E01xx\` are about the text and its names, \`E02xx\` about types and
shapes, \`E03xx\` about gradients and training, \`E04xx\` about files, \`E05xx\` about memory.`;

const fence = (page: Page, text: string): string =>
  `\`\`\`${page.language === 'text' ? '' : page.language}\n${text}\`\`\``;

const indent = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map(line => (line === '' ? '' : `  ${line}`))
    .join('\n');

/** Breaks lines between words; the first begins behind `before` columns. */
function wrap(text: string, before = 0, width = WIDTH): string {
  const lines: string[] = [];
  let line = '';
  let room = width - before;
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = '';
      room = width;
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}

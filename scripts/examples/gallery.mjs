// The gallery of examples/README.md: pictures, and a table made from examples/gallery/figures.json between two markers.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { shown, shownReach } from './figures.mjs';

/** Of a picture. */
export const mostBytes = 24 * 1024;
const markers = ['<!-- gallery: made by `npm run examples -- --write` -->', '<!-- end of the gallery -->'];

/** Puts what examples have reached into the gallery; others keep what they have there. */
export function writeGallery(folder, entries) {
  const place = join(folder, 'gallery');
  mkdirSync(place, { recursive: true });
  const file = join(place, 'figures.json');
  const all = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  for (const { name, about, figures, pictures } of entries) {
    for (const old of readdirSync(place))
      if (new RegExp(`^${name}(-\\d+)?\\.png$`).test(old)) rmSync(join(place, old));
    const kept = pictures.map((path, i) => {
      const picture = `${name}${i === 0 ? '' : `-${i + 1}`}.png`;
      copyFileSync(path, join(place, picture));
      return picture;
    });
    const { title, command } = about;
    all[name] = {
      title,
      command,
      figures: figures.map(f => ({ name: f.name, reached: shown(f), reach: shownReach(f) })),
      pictures: kept,
    };
  }
  const here = Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => existsSync(join(folder, name)))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  writeFileSync(file, `${JSON.stringify(here, undefined, 2)}\n`);
  const readme = join(folder, 'README.md');
  writeFileSync(readme, withGallery(readFileSync(readme, 'utf8'), here));
}

/** The text with the table between the markers. */
export function withGallery(text, entries) {
  const [from, to] = markers.map(marker => text.indexOf(marker));
  if (from < 0 || to < from) throw new Error(`README.md lacks the lines ${markers.join(' and ')}`);
  return `${text.slice(0, from)}${markers[0]}\n\n${table(entries)}\n${text.slice(to)}`;
}

function table(entries) {
  const rows = Object.entries(entries).map(([name, { title, command, figures, pictures }]) => {
    const images = pictures.map(p => `<img src="gallery/${p}" width="220" alt="${title}">`).join(' ');
    const reached = figures.map(f => `${f.name} **${f.reached}** (${f.reach})`).join('<br>');
    return `| [\`${name}\`](${name}): ${title}<br>${reached}<br>\`${command}\` | ${images} |`;
  });
  return ['| example, what it reached (and must reach), a command | |', '| --- | --- |', ...rows, ''].join(
    '\n',
  );
}

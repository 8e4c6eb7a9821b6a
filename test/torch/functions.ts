import type { NdArray } from '../../src/ir/primitive.ts';
import { type Attrs, type Translation, Untranslated } from './attrs.ts';
import { alike, elementwiseTranslations } from './elementwise.ts';
import { imageTranslations } from './images.ts';
import { layerTranslations } from './layers.ts';
import { lossTranslations } from './losses.ts';
import { productTranslations } from './products.ts';
import { reductionParts, reductionTranslations } from './reductions.ts';
import { shapeParts, shapeTranslations } from './shapes.ts';

/** What is known of a value by name: that which the case itself gives. */
export type Given = (name: string) => NdArray | undefined;

/** Values for several results, one text each. */
export type Parts = (args: readonly string[], count: number, attrs: Attrs) => readonly string[];

const translations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ...elementwiseTranslations,
  ...reductionTranslations,
  ...shapeTranslations,
  ...productTranslations,
  ...layerTranslations,
  ...imageTranslations,
  ...lossTranslations,
]);

const parts: ReadonlyMap<string, Parts> = new Map<string, Parts>([...reductionParts, ...shapeParts]);

/** The text of each result of a call. */
export function translateCall(
  op: string,
  args: readonly string[],
  attrs: Attrs,
  count: number,
  given: Given,
): readonly string[] {
  const several = parts.get(op);
  const translation = translations.get(op);
  if (!several && (!translation || count !== 1))
    throw new Untranslated(translation ? `${op} with ${count} results` : op);
  const texts =
    several && (count > 1 || !translation) ? several(args, count, attrs) : [translation!(args, attrs, given)];
  attrs.done();
  return texts;
}

export const isLoss = (op: string): boolean => lossTranslations.has(op);

const rowwise = new Set([
  ...alike,
  ...lossTranslations.keys(),
  ...[1, 2, 3].flatMap(n =>
    ['conv', 'conv_transpose', 'max_pool', 'avg_pool', 'lp_pool'].map(f => `${f}${n}d`),
  ),
  ...[
    'add',
    'sub',
    'mul',
    'div',
    'maximum',
    'minimum',
    'linear',
    'flatten',
    'leaky_relu',
    'elu',
    'dropout_eval',
  ],
]);

/** Whether the leading axis runs through the call untouched, or into the mean of a loss. */
export const keepsBatch = (op: string): boolean => rowwise.has(op) && !op.startsWith('multilabel_margin');

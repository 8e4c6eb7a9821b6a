import type { NdArray } from '../../src/ir/primitive.ts';
import { type Backend, compileText } from '../torch/run.ts';
import type { Tensor } from './tensor.ts';
import type { Translated } from './translate.ts';

/** How far apart two numbers may be. */
export type Close = (actual: number, expected: number) => boolean;

/** numpy.allclose with the tolerances of ONNX's tests. */
export const allClose: Close = (a, b) => {
  if (Number.isNaN(b)) return Number.isNaN(a);
  return a === b || Math.abs(a - b) <= 1e-5 + 1e-3 * Math.abs(b);
};

function compare(name: string, actual: NdArray | undefined, expected: Tensor, close: Close): string[] {
  if (!actual) return [`${name} is missing`];
  const found = `[${actual.shape.join(', ')}]`;
  const wanted = `[${expected.shape.join(', ')}]`;
  if (found !== wanted) return [`${name} is ${found}, expected ${wanted}`];
  const at = expected.data.findIndex((b, i) => !close(actual.data[i]!, b));
  if (at < 0) return [];
  return [`${name}: element ${at} is ${actual.data[at]}, expected ${expected.data[at]}`];
}

/** Runs a translated case and compares its results y0, y1, … with what is expected. */
export async function checkCase(
  name: string,
  { text, inputs }: Translated,
  expected: readonly Tensor[],
  backend: Backend,
  close: Close = allClose,
): Promise<void> {
  const results = await backend.net(compileText(name, text, backend.target), inputs);
  const wrong = expected.flatMap((t, i) => compare(`y${i}`, results[`y${i}`], t, close));
  if (wrong.length > 0) throw new Error(`${wrong.join('\n')}\n${text}`);
}

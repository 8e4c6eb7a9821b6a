import { range } from '../onnx/node.ts';
import { dtypeOf } from '../onnx/tensor.ts';
import { list, type Value } from '../onnx/writer.ts';
import { Untranslated } from '../torch/attrs.ts';
import type { Call } from './call.ts';

/** Scales and zero points may cover blocks along every axis. */
export function quantised(c: Call, back: boolean): readonly Value[] {
  const x = c.operand('input');
  const given = [c.operand('scale'), c.optional('zeroPoint')] as const;
  const spread = (v: Value) => {
    const rank = x.shape.length;
    const at = (i: number) => v.shape[i - rank + v.shape.length] ?? 1;
    const shaped = `reshape(${dtypeOf(v.element) === 'f32' ? v.text : `cast(${v.text}, f32)`}, ${list(range(0, rank).map(at))})`;
    return range(0, rank).reduce(
      (text, i) =>
        at(i) > 1 && at(i) < x.shape[i]! ? `repeat_each(${text}, ${x.shape[i]! / at(i)}, ${i})` : text,
      shaped,
    );
  };
  const scale = spread(given[0]);
  const zero = given[1] ? spread(given[1]) : '0';
  const source = dtypeOf(x.element) === 'f32' ? x.text : `cast(${x.text}, f32)`;
  if (back) return [c.text(`(${source} - ${zero}) * ${scale}`, given[0].element)];
  const element = given[1]?.element ?? 'int8';
  const limits: Readonly<Record<string, readonly [number, number]>> = {
    uint8: [0, 255],
    int8: [-128, 127],
    int32: [-2147483648, 2147483647],
  };
  const limit = limits[element];
  if (!limit) throw new Untranslated(`quantizing to ${element}`);
  return [c.text(`cast(clamp(round(${source} / ${scale}) + ${zero}, ${limit.join(', ')}), i32)`, element)];
}

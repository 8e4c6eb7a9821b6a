import { numberToFloat16 } from '../../src/support/float16.ts';
import type { Close } from '../onnx/check.ts';
import { type Element, isFloating } from '../onnx/tensor.ts';

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The place of a number among all floats of its width, so that neighbours differ by 1. */
function place(x: number, element: Element): number {
  if (element === 'float16') {
    const half = numberToFloat16(x);
    return half & 0x8000 ? -(half & 0x7fff) : half;
  }
  float[0] = x;
  return bits[0]! < 0 ? -(bits[0]! & 0x7fffffff) : bits[0]!;
}

/** Whether two numbers are at most this many units in the last place apart. */
export const withinUlp =
  (element: Element, ulp: number): Close =>
  (a, b) => {
    if (Number.isNaN(b)) return Number.isNaN(a);
    if (!isFloating(element)) return Math.abs(a - b) <= ulp;
    return Math.abs(place(a, element) - place(b, element)) <= ulp;
  };

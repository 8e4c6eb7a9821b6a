import type { Translated } from '../onnx/translate.ts';
import { type Value, Writer } from '../onnx/writer.ts';
import { Untranslated } from '../torch/attrs.ts';
import { Call } from './call.ts';
import type { WebnnCase } from './case.ts';
import { operators } from './operators.ts';

/** A case as a net `Case`, whose results are the expected outputs in their order. */
export function translateWebnn(given: WebnnCase): Translated {
  const writer = new Writer();
  const values = new Map<string, Value>();
  for (const [name, tensor] of given.inputs) values.set(name, writer.feed(tensor));
  for (const { name, arguments: args, outputs } of given.operators) {
    const rule = operators[name];
    if (!rule) throw new Untranslated(`the operator ${name}`);
    const names = typeof outputs === 'string' ? [outputs] : outputs;
    const call = new Call(name, names.length, args, values, writer);
    const made = rule(call);
    call.done();
    names.forEach((n, i) => {
      values.set(n, made[i]!);
    });
  }
  const results = [...given.outputs.keys()].map(name => values.get(name)!);
  return { text: writer.source(results), inputs: writer.inputs() };
}

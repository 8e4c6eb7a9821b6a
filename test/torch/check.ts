import type { LoadedCase, TrainCase, VjpCase } from './case.ts';
import { errorOf, row, tensorOf } from './case.ts';
import type { Arrays, Backend } from './run.ts';
import { compileText } from './run.ts';
import { trainProgram } from './train.ts';
import {
  constantOf,
  firstGradients,
  hasBatch,
  movedBuffers,
  type Sizes,
  vjpSource,
  word,
} from './translate.ts';

/** Tolerances of training runs, in which small differences grow. */
const lossTolerance = 1e-3;
const weightTolerance = 1e-2;

/** Collects what is too far away, so that a failure shows all of it. */
class Report {
  readonly #wrong: string[] = [];

  compare(
    what: string,
    actual: Arrays[string] | undefined,
    expected: Arrays[string],
    tolerance: number,
  ): void {
    const error = actual ? errorOf(actual, expected) : Number.NaN;
    if (!(error <= tolerance))
      this.#wrong.push(`${what}: ${actual ? `error ${error} > ${tolerance}` : 'missing'}`);
  }

  end(text: string): void {
    if (this.#wrong.length > 0) throw new Error(`${this.#wrong.join('\n')}\n${text}`);
  }
}

const fits = (c: { readonly f32_err: number }): number => Math.max(1e-4, 50 * c.f32_err);

/** Cases with more elements than this are checked in one way where small ones are in several. */
const small = 20_000;

export const isSmall = ({ tensors }: LoadedCase): boolean =>
  [...tensors.values()].reduce((n, t) => n + t.data.length, 0) <= small;

function sizesOf(loaded: LoadedCase<VjpCase>): readonly Sizes[] {
  if (!hasBatch(loaded)) return ['fixed'];
  return isSmall(loaded) ? ['fixed', 'free'] : ['free'];
}

/** Outputs, gradients and running averages, with the leading extent fixed or, where the case has a batch, free. */
export async function checkVjp(loaded: LoadedCase<VjpCase>, backend: Backend): Promise<void> {
  const { name, inputs, consts, params, buffers, outputs, grads } = loaded.case;
  const given = [...inputs, ...consts, ...params, ...buffers].map(
    n => [word(n), tensorOf(loaded, n)] as const,
  );
  const cotangents = outputs.flatMap(n => {
    const gy = loaded.tensors.get(`gy.${n}`);
    return gy ? [[`gy_${word(n)}`, gy] as const] : [];
  });
  const moved = movedBuffers(loaded).filter(n => loaded.tensors.has(`bufafter.${n}`));
  for (const sizes of sizesOf(loaded)) {
    const text = vjpSource(loaded, sizes);
    const results = await backend.net(
      compileText(name, text, backend.target),
      Object.fromEntries([...given, ...cotangents]),
    );
    const report = new Report();
    for (const n of outputs)
      report.compare(n, results[word(n)], tensorOf(loaded, `out.${n}`), fits(loaded.case));
    for (const n of grads)
      report.compare(
        `grad ${n}`,
        results[`grad_${word(n)}`],
        tensorOf(loaded, `grad.${n}`),
        fits(loaded.case),
      );
    for (const n of moved) {
      const after = tensorOf(loaded, `bufafter.${n}`);
      report.compare(`buffer ${n}`, results[`after_${word(n)}`], after, fits(loaded.case));
    }
    report.end(text);
  }
}

/** The gradients of the first batch (of small cases), then all steps: every loss, the weights after the first and the last one. */
export async function checkTraining(loaded: LoadedCase<TrainCase>, backend: Backend): Promise<void> {
  const { name, params, buffers, trained, feeds, steps } = loaded.case;
  const first = firstGradients(loaded);
  if (isSmall(first)) await checkVjp(first, backend);
  const { text, path } = trainProgram(loaded);
  const initial = [
    ...params.map(n => [path(n), tensorOf(loaded, `init.${n}`)] as const),
    ...buffers.map(n => [path(n), tensorOf(loaded, `initbuf.${n}`)] as const),
  ];
  const constants = loaded.case.consts.map(n => [word(n), constantOf(loaded, n)] as const);
  const compiled = compileText(name, text, backend.target);
  const training = await backend.training(compiled, Object.fromEntries(initial));
  const report = new Report();
  const weights = async (prefix: string, names: readonly string[]) => {
    const state = await training.state();
    for (const n of names)
      report.compare(`${prefix}.${n}`, state[path(n)], tensorOf(loaded, `${prefix}.${n}`), weightTolerance);
  };
  try {
    for (let i = 0; i < steps; i++) {
      const data = feeds.map(f => [word(f), row(tensorOf(loaded, `feed.${f}`), i)] as const);
      const { loss } = await training.step(Object.fromEntries([...data, ...constants]));
      const expected = { ...row(tensorOf(loaded, 'loss'), i), dtype: 'f32' as const };
      report.compare(`loss of step ${i}`, loss, expected, lossTolerance);
      if (i === 0) await weights('step1', trained);
    }
    await weights('final', trained);
    await weights('finalbuf', buffers);
  } finally {
    training.close();
  }
  report.end(text);
}

import type { Train } from '../../ir/module.ts';
import type { Io } from '../io.ts';
import type { Checked } from '../load.ts';
import { declaredWeights } from '../net-weights.ts';
import { note } from '../output.ts';
import type { Tensors } from '../tensors.ts';
import { takeWeights, trainState } from './open.ts';

/** Whose a tensor is: a net's, or the program's own. */
const ownerOf = (name: string): string => name.slice(0, name.indexOf('.'));

/**
 * What `--weights` gives a training. A net of which the file has nothing begins anew, or with the weights that the
 * program names for it, and so does a parameter of the program itself: one program may go on with what another has
 * trained. Of a net that is there every parameter must be.
 */
export function startingWeights({ module, file }: Checked, train: Train, given: Tensors, io: Io): Tensors {
  const params = trainState(train).filter(s => s.role === 'param');
  const present = new Set([...given.keys()].map(ownerOf));
  const absent = params.filter(s => !present.has(ownerOf(s.name)));
  // A file that has nothing at all is another's.
  const isNew = absent.length < params.length ? new Set(absent.map(s => ownerOf(s.name))) : new Set<string>();
  const taken = takeWeights(module, train, given, s => s.role === 'param' && !isNew.has(ownerOf(s.name)));
  const declared = declaredWeights(
    module,
    file,
    trainState(train).filter(s => isNew.has(ownerOf(s.name))),
  );
  for (const { name, weights } of module.nets)
    if (isNew.has(name) && !weights) note(io, `net ${name} begins anew: --weights has none of its tensors\n`);
  return new Map([...declared, ...taken]);
}

import type { GraphBuilder } from '../ir/builder.ts';
import type { InputNode, LoopNode, Value } from '../ir/graph.ts';
import { loopParts } from '../ir/loop.ts';
import type { Later, Turns } from '../ir/primitive.ts';
import * as B from '../ops/build.ts';

/** The body of a loop under construction. */
export interface OpenBody {
  readonly b: GraphBuilder;
  readonly steps: LoopNode['steps'];
  /** What stands outside for a value that is the turn's part of a stack, or for one that is the same in every turn. */
  outside(value: Value): { readonly stack: Value } | { readonly same: Value } | undefined;
  /** A name for a further state or stack. */
  unusedName(wish: string): string;
  enter(role: 'state', wish: string, outside: Value): Value;
}

/**
 * Sums over all turns of what a body computes. Where the op that makes it knows a way, the turns hand out what it is made
 * of, and the sum is taken after the loop: one large product in place of many small ones that add to a weight's gradient,
 * as cuDNN has it (Appleyard et al., 2016). Otherwise a state adds up.
 */
export class TurnSums {
  readonly #around: GraphBuilder;
  readonly #body: OpenBody;
  readonly #totals = new Map<Value, Later>();
  readonly #stacks = new Map<Value, string>();
  /** What no op has a way for; and the states that add it up, unless it is stacked anyway. */
  readonly #parts = new Set<Value>();
  readonly #states = new Map<Value, Value>();
  #loop: LoopNode | undefined;

  constructor(around: GraphBuilder, body: OpenBody) {
    this.#around = around;
    this.#body = body;
  }

  total(value: Value): Later {
    const known =
      this.#totals.get(value) ?? this.#ofStack(value) ?? this.#byOp(value) ?? this.#byState(value);
    this.#totals.set(value, known);
    return known;
  }

  /** Gives the body its outputs. */
  close(): void {
    const { b } = this.#body;
    for (const part of this.#parts) {
      if (this.#stacks.has(part)) continue;
      const zeros = B.zerosLike(this.#around, part);
      const state = this.#body.enter('state', `sum ${part.id}`, zeros);
      this.#states.set(part, state);
      const { name } = state.node as InputNode;
      b.output({ name, role: 'update', target: name, value: B.add(b, state, part) });
    }
    for (const [value, name] of this.#stacks) b.output({ name, role: 'result', value });
  }

  /** From here on sums can be emitted. */
  built(loop: LoopNode): void {
    this.#loop = loop;
  }

  #turns(value: Value): Turns {
    return { type: value.type, stack: () => this.#stack(value), total: () => this.total(value) };
  }

  #ofStack(value: Value): Later | undefined {
    const known = this.#body.outside(value);
    if (!known || !('stack' in known)) return undefined;
    return b => B.reduceSum(b, known.stack, [0]);
  }

  #byOp({ node, index }: Value): Later | undefined {
    if (node.kind !== 'op' || index > 0) return undefined;
    return node.op.sumOfTurns?.(
      node.inputs.map(v => this.#turns(v)),
      node.attrs,
    );
  }

  #byState(part: Value): Later {
    this.#parts.add(part);
    return b => {
      if (this.#stacks.has(part)) return B.reduceSum(b, this.#stacked(part), [0]);
      const { name } = this.#states.get(part)!.node as InputNode;
      return loopParts(this.#loop!).carries.find(c => c.inner.name === name)!.final;
    };
  }

  #stack(value: Value): Later {
    const known = this.#body.outside(value);
    if (known && 'stack' in known) return () => known.stack;
    if (known) return b => B.broadcastTo(b, known.same, [this.#body.steps, ...value.type.shape]);
    const { node } = value;
    if (node.kind === 'op' && node.op.stackOfTurns) {
      const stacks = node.inputs.map(v => this.#stack(v));
      return b =>
        node.op.stackOfTurns!(
          b,
          stacks.map(s => s(b)),
          node.attrs,
        );
    }
    const name = this.#stacks.get(value) ?? this.#body.unusedName(`part ${value.id}`);
    this.#stacks.set(value, name);
    return () => this.#stacked(value);
  }

  #stacked(value: Value): Value {
    const name = this.#stacks.get(value);
    return loopParts(this.#loop!).yields.find(y => y.output.name === name)!.stack;
  }
}

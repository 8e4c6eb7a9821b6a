import type { KExpr, Stmt } from '../../ir/kernel.ts';
import { lanesOf } from '../../ir/kernel.ts';
import type { DType } from '../../ir/type.ts';
import type { Local, Ref } from './code.ts';
import { exprRefs, registers, registerType, scalarRef } from './expr.ts';
import { storeRefs } from './memory.ts';
import type { Scope } from './scope.ts';

export function pushStmts(body: readonly Stmt[], scope: Scope): void {
  for (const s of body) pushStmt(s, scope);
}

function pushStmt(s: Stmt, scope: Scope): void {
  const { code } = scope;
  switch (s.kind) {
    case 'let':
      define(s.name, s.value, s.value.dtype, s.value, scope);
      break;
    case 'var':
      define(s.name, s.value, s.dtype, undefined, scope);
      break;
    case 'assign':
      assign(scope.locals(s.name), exprRefs(s.value, scope), scope);
      break;
    case 'store':
    case 'store-shared':
      for (const ref of storeRefs(s, exprRefs(s.value, scope), scope)) code.push(ref);
      break;
    case 'for':
      pushLoop(s, scope);
      break;
    case 'if': {
      const condition = scalarRef(s.condition, scope);
      code.push(
        code.m.if(
          condition,
          code.block(() => pushStmts(s.then, scope)),
        ),
      );
      break;
    }
    case 'subgroup':
      // A group is one invocation: it is the first lane, and the sum of all.
      define(s.name, s.value, s.value.dtype, s.value, scope);
      break;
    case 'matrix':
    case 'zero-matrix':
    case 'load-matrix':
    case 'multiply-matrix':
    case 'store-matrix':
      throw new Error(`${s.kind}: WebAssembly has no matrices`);
    case 'barrier':
    case 'comment':
      break;
  }
}

/** `fixed`: what the name stands for as long as it lives. */
function define(name: string, value: KExpr, dtype: DType, fixed: KExpr | undefined, scope: Scope): void {
  const lanes = lanesOf(value);
  const type = registerType(dtype, lanes, scope);
  const refs = exprRefs(value, scope);
  const locals = Array.from({ length: registers(lanes) }, (_, i) =>
    scope.code.local(type, i === 0 ? name : `${name}.${i}`),
  );
  for (const [i, local] of locals.entries()) scope.code.push(local.set(refs[i]!));
  scope.define(name, locals, fixed);
}

/** All registers are computed before the first is overwritten. */
function assign(locals: readonly Local[], refs: readonly Ref[], scope: Scope): void {
  if (locals.length === 1) {
    scope.code.push(locals[0]!.set(refs[0]!));
    return;
  }
  const kept = refs.map((ref, i) => scope.code.keep(ref, locals[i]!.type));
  for (const [i, local] of locals.entries()) scope.code.push(local.set(kept[i]!()));
}

/** The condition stands at the end, and before the first turn unless that is sure to come. */
function pushLoop(s: Extract<Stmt, { kind: 'for' }>, scope: Scope): void {
  const { code } = scope;
  const { m, b } = code;
  const i = code.local(b.i32, s.name);
  code.push(i.set(scalarRef(s.from, scope)));
  // A name that starts at 0 or above and grows.
  scope.define(s.name, [i], s.from);
  const goesOn = (): Ref => m.i32.lt_s(i.get(), scalarRef(s.to, scope));
  const label = `${s.name}_loop_${i.index}`;
  const turns = (): void =>
    code.push(
      m.loop(
        label,
        code.block(() => {
          pushStmts(s.body, scope);
          code.push(i.set(m.i32.add(i.get(), m.i32.const(s.step))));
          code.push(m.br_if(label, goesOn()));
        }),
      ),
    );
  const isSure = s.from.kind === 'const' && s.to.kind === 'const' && s.from.value < s.to.value;
  if (isSure) turns();
  else {
    const condition = goesOn();
    code.push(m.if(condition, code.block(turns)));
  }
}

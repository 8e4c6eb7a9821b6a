import type {
  Arg,
  Body,
  Declaration,
  DimExpr,
  Expr,
  Index,
  Param,
  Stage,
  Statement,
  TypeExpr,
} from '../../parser/ast.ts';
import { unknownName } from '../../support/errors/names.ts';
import type { Span } from '../../support/source.ts';
import type { Context } from './context.ts';
import { isGlobalName, namesInSight } from './lookup.ts';
import type { ModuleScope } from './scope.ts';

/**
 * Reports names that mean nothing whatever the arguments are, in all declarations: also in blocks that nothing uses and
 * in branches of a static `if` that are not taken. Names count as known in their whole body; order is checked when
 * the body is elaborated.
 */
export function checkNames(ctx: Context, module: ModuleScope): void {
  for (const decl of module.declarations.values()) new Names(ctx, module).declaration(decl);
}

class Names {
  readonly ctx: Context;
  readonly module: ModuleScope;
  readonly known = new Set<string>();

  constructor(ctx: Context, module: ModuleScope) {
    this.ctx = ctx;
    this.module = module;
  }

  declaration(decl: Declaration): void {
    switch (decl.kind) {
      case 'const':
        this.expr(decl.value);
        break;
      case 'fn':
      case 'block':
        this.params([...(decl.kind === 'block' ? decl.statics : []), ...decl.params]);
        this.body(decl.body);
        break;
      case 'net':
        this.params(decl.params ?? []);
        if (decl.definition.kind === 'body') this.body(decl.definition.body);
        else this.expr(decl.definition.value);
        break;
      case 'train':
        this.body(decl.body);
        break;
      case 'op':
        break;
    }
  }

  private params(params: readonly Param[]): void {
    for (const { name, type } of params) {
      this.known.add(name.name);
      this.sizes(type);
    }
    for (const { value } of params) if (value) this.expr(value);
  }

  /** Names in a type are sizes, which the type itself introduces. */
  private sizes(type: TypeExpr): void {
    for (const dim of type.dims ?? []) this.size(dim);
  }

  private size(dim: DimExpr): void {
    if (dim.kind === 'pack' && dim.name) this.known.add(dim.name.name);
    if (dim.kind === 'expr' && dim.value.kind === 'name') this.known.add(dim.value.name);
  }

  private body(body: Body): void {
    this.collect(body);
    for (const s of body.statements) this.statement(s);
  }

  /** Everything that the statements bind. */
  private collect(body: Body): void {
    for (const s of body.statements)
      switch (s.kind) {
        case 'declare':
          this.known.add(s.name.name);
          this.sizes(s.type);
          break;
        case 'metric':
          this.known.add(s.name.name);
          break;
        case 'assign':
          for (const name of s.names) this.known.add(name.name);
          break;
        case 'repeat':
          if (s.variable) this.known.add(s.variable.name);
          this.collect(s.body);
          break;
        case 'step':
          this.collect(s.body);
          break;
        default:
          break;
      }
  }

  private statement(s: Statement): void {
    switch (s.kind) {
      case 'declare':
        if (s.value) this.expr(s.value);
        break;
      case 'assign':
      case 'update':
      case 'metric':
        this.expr(s.value);
        break;
      case 'minimize':
        this.expr(s.value);
        for (const target of s.targets) {
          for (const e of target.what) this.expr(e);
          this.expr(target.by);
        }
        break;
      case 'repeat':
        this.expr(s.over);
        for (const inner of s.body.statements) this.statement(inner);
        break;
      case 'step':
        for (const inner of s.body.statements) this.statement(inner);
        break;
      case 'return':
      case 'yield':
        for (const e of s.values) this.expr(e);
    }
  }

  private expr(e: Expr): void {
    switch (e.kind) {
      case 'number':
      case 'string':
        break;
      case 'name':
        this.name(e.name, 'name', e.span);
        break;
      case 'list':
        for (const item of e.items) this.expr(item);
        break;
      case 'unary':
        this.expr(e.value);
        break;
      case 'binary':
        this.expr(e.left);
        this.expr(e.right);
        break;
      case 'range':
        this.expr(e.from);
        this.expr(e.to);
        break;
      case 'call':
        this.callee(e.callee);
        this.args(e.args);
        break;
      case 'index':
        this.expr(e.value);
        this.index(e.index);
        break;
      case 'field':
        // May be a stage of the body, whose names are not collected.
        if (e.value.kind !== 'name') this.expr(e.value);
        break;
      case 'if':
        this.expr(e.condition);
        this.expr(e.then);
        this.expr(e.else);
        break;
      case 'scan':
        this.args(e.args);
        this.expr(e.over);
        this.known.add(e.variable.name);
        for (const { name, value } of e.carry) {
          this.expr(value);
          this.known.add(name.name);
        }
        this.body(e.body);
        break;
      case 'pipe':
        this.expr(e.value);
        for (const stage of e.stages) this.stage(stage);
    }
  }

  private callee(e: Expr): void {
    if (e.kind === 'name') this.name(e.name, 'layer or function', e.span);
    else this.expr(e);
  }

  private args(args: readonly Arg[]): void {
    for (const arg of args) this.expr(arg.value);
  }

  private index(index: Index): void {
    for (const item of index)
      if (item.kind === 'at') this.expr(item.value);
      else if (item.kind === 'slice') for (const e of [item.from, item.to, item.step]) if (e) this.expr(e);
  }

  private stage(stage: Stage): void {
    if (stage.kind === 'apply') this.callee(stage.value);
    else {
      this.expr(stage.over);
      if (stage.variable) this.known.add(stage.variable.name);
      for (const inner of stage.stages) this.stage(inner);
    }
  }

  private name(name: string, what: string, span: Span): void {
    if (this.known.has(name) || isGlobalName(this.ctx, this.module, name)) return;
    this.ctx.report(unknownName(span, what, name, [...this.known, ...namesInSight(this.ctx, this.module)]));
  }
}

import type { Source, Span } from '../support/source.ts';

/** The syntax tree of a `.dnn` file. Every node carries the span it was read from. */
export interface File {
  readonly source: Source;
  readonly imports: readonly Import[];
  readonly declarations: readonly Declaration[];
  readonly span: Span;
}

export interface Ident {
  readonly name: string;
  readonly span: Span;
}

export interface Import {
  readonly kind: 'import';
  readonly names: readonly Ident[];
  readonly from: string;
  readonly fromSpan: Span;
  readonly span: Span;
}

export type Declaration = ConstDecl | FnDecl | OpDecl | BlockDecl | NetDecl | TrainDecl;

interface DeclBase {
  readonly name: Ident;
  readonly span: Span;
}

export interface ConstDecl extends DeclBase {
  readonly kind: 'const';
  readonly type?: TypeExpr;
  readonly value: Expr;
}

export interface FnDecl extends DeclBase {
  readonly kind: 'fn';
  readonly params: readonly Param[];
  readonly result: Result;
  readonly body: Body;
}

/** `op NAME(params) -> y: type { y[index] = sum(c, k) expr }` */
export interface OpDecl extends DeclBase {
  readonly kind: 'op';
  readonly params: readonly Param[];
  readonly resultName: Ident;
  readonly resultType: TypeExpr;
  /** Name before the brackets on the left side; must equal `resultName`. */
  readonly target: Ident;
  readonly index: Index;
  readonly reduction: 'sum' | 'max' | 'min' | 'prod';
  readonly over: readonly Ident[];
  readonly value: Expr;
}

export interface BlockDecl extends DeclBase {
  readonly kind: 'block';
  readonly statics: readonly Param[];
  readonly params: readonly Param[];
  readonly result: Result;
  readonly body: Body;
}

export interface NetDecl extends DeclBase {
  readonly kind: 'net';
  /** Absent in `net A = Block(...)`, where the signature is the block's. */
  readonly params?: readonly Param[];
  readonly result?: Result;
  readonly definition:
    | { readonly kind: 'body'; readonly body: Body }
    | {
        readonly kind: 'alias';
        readonly value: Expr;
        readonly weights?: { readonly file: string; readonly span: Span; readonly rename?: string };
      };
}

export interface TrainDecl extends DeclBase {
  readonly kind: 'train';
  readonly body: Body;
}

export interface Param {
  readonly name: Ident;
  readonly type: TypeExpr;
  readonly value?: Expr;
  readonly span: Span;
}

/** `-> f32[N, 10]` or `-> (y: f32[N], h: f32[N])`. */
export type Result =
  | { readonly kind: 'type'; readonly type: TypeExpr; readonly span: Span }
  | { readonly kind: 'tuple'; readonly fields: readonly Param[]; readonly span: Span };

/** `f32[N, 3, H, W]`, `int[]`, `f32[...]`, `block`. `dims` is absent without brackets, empty for `int[]`. */
export interface TypeExpr {
  readonly name: Ident;
  readonly dims?: readonly DimExpr[];
  readonly span: Span;
}

export type DimExpr =
  | { readonly kind: 'pack'; readonly name?: Ident; readonly span: Span }
  | { readonly kind: 'wildcard'; readonly span: Span }
  | { readonly kind: 'expr'; readonly value: Expr; readonly span: Span };

export interface Body {
  readonly statements: readonly Statement[];
  readonly span: Span;
}

export type Statement =
  | {
      readonly kind: 'declare';
      readonly role: 'data' | 'param' | 'state';
      readonly name: Ident;
      readonly type: TypeExpr;
      readonly value?: Expr;
      readonly span: Span;
    }
  | { readonly kind: 'assign'; readonly names: readonly Ident[]; readonly value: Expr; readonly span: Span }
  | { readonly kind: 'update'; readonly name: Ident; readonly value: Expr; readonly span: Span }
  | { readonly kind: 'metric'; readonly name: Ident; readonly value: Expr; readonly span: Span }
  | {
      readonly kind: 'step';
      readonly name: Ident;
      readonly every?: number;
      readonly body: Body;
      readonly span: Span;
    }
  | {
      readonly kind: 'minimize';
      readonly value: Expr;
      readonly targets: readonly Target[];
      readonly span: Span;
    }
  | {
      readonly kind: 'repeat';
      readonly variable?: Ident;
      readonly over: Expr;
      readonly body: Body;
      readonly span: Span;
    }
  | { readonly kind: 'return'; readonly values: readonly Expr[]; readonly span: Span }
  | { readonly kind: 'yield'; readonly values: readonly Expr[]; readonly span: Span };

/** `over A, B.head by clip(5) -> sgd(lr = 0.1)`; `by` is a pipe whose stages are the links. */
export interface Target {
  readonly what: readonly Expr[];
  readonly by: Expr;
  readonly span: Span;
}

export type BinaryOperator =
  | 'or'
  | 'and'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '+'
  | '-'
  | '*'
  | '/'
  | '~/'
  | '%'
  | '@'
  | '^';

export type Expr =
  | { readonly kind: 'number'; readonly value: number; readonly isFloat: boolean; readonly span: Span }
  | { readonly kind: 'string'; readonly value: string; readonly span: Span }
  /** `true` and `false` are names too. */
  | { readonly kind: 'name'; readonly name: string; readonly span: Span }
  | { readonly kind: 'list'; readonly items: readonly Expr[]; readonly span: Span }
  | { readonly kind: 'unary'; readonly op: '-' | 'not' | 'infer'; readonly value: Expr; readonly span: Span }
  | {
      readonly kind: 'binary';
      readonly op: BinaryOperator;
      readonly left: Expr;
      readonly right: Expr;
      /** Span of the operator itself, which shape errors mark. */
      readonly opSpan: Span;
      readonly span: Span;
    }
  | { readonly kind: 'range'; readonly from: Expr; readonly to: Expr; readonly span: Span }
  | { readonly kind: 'call'; readonly callee: Expr; readonly args: readonly Arg[]; readonly span: Span }
  | { readonly kind: 'index'; readonly value: Expr; readonly index: Index; readonly span: Span }
  | { readonly kind: 'field'; readonly value: Expr; readonly name: Ident; readonly span: Span }
  | {
      readonly kind: 'if';
      readonly condition: Expr;
      readonly then: Expr;
      readonly else: Expr;
      readonly span: Span;
    }
  | {
      readonly kind: 'scan';
      readonly args: readonly Arg[];
      readonly variable: Ident;
      readonly over: Expr;
      readonly carry: readonly { readonly name: Ident; readonly value: Expr }[];
      readonly body: Body;
      readonly span: Span;
    }
  | { readonly kind: 'pipe'; readonly value: Expr; readonly stages: readonly Stage[]; readonly span: Span };

export interface Arg {
  readonly name?: Ident;
  readonly value: Expr;
  readonly span: Span;
}

export type Stage =
  | { readonly kind: 'apply'; readonly label?: Ident; readonly value: Expr; readonly span: Span }
  | {
      readonly kind: 'repeat';
      readonly label?: Ident;
      readonly variable?: Ident;
      readonly over: Expr;
      readonly stages: readonly Stage[];
      readonly span: Span;
    };

export type Index = readonly IndexItem[];

export type IndexItem =
  | { readonly kind: 'ellipsis'; readonly span: Span }
  | { readonly kind: 'at'; readonly value: Expr; readonly span: Span }
  | {
      readonly kind: 'slice';
      readonly from?: Expr;
      readonly to?: Expr;
      readonly step?: Expr;
      readonly span: Span;
    };

export { buildModel } from './codegen/model.ts';
export type { Checked, CheckOptions, Compiled, CompileOptions } from './compile.ts';
export { check, compile } from './compile.ts';
export type { Target } from './ir/target.ts';
export { gpuTarget, softwareTarget } from './ir/target.ts';
export { parse } from './parser/parse.ts';
export type { Diagnostic } from './support/diagnostic.ts';
export { renderDiagnostic } from './support/render.ts';
export type { Source, Span } from './support/source.ts';

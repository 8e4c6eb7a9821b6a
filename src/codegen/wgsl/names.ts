const keywords =
  'alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if ' +
  'let loop override requires return struct switch true var while';

const reserved =
  'NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class ' +
  'co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval ' +
  'constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export ' +
  'extends extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl ' +
  'implements import inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move ' +
  'mut mutable namespace new nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null ' +
  'nullptr of operator package packoffset partial pass patch pixelfragment precise precision premerge priv protected ' +
  'pub public readonly ref regardless register reinterpret_cast require resource restrict self set shared sizeof ' +
  'smooth snorm static static_assert static_cast std subroutine super target template this thread_local throw trait ' +
  'try type typedef typeid typename typeof union unless unorm unsafe unsized use using varying virtual volatile wgsl ' +
  'where with writeonly yield';

/** Predeclared names that the printer itself writes: a kernel may shadow any other, but not these. */
const builtins =
  'abs array atomic bitcast bool ceil clamp cos exp f16 f32 floor i32 inverseSqrt log max min pow round select sign ' +
  'sin sqrt subgroupAdd subgroupBroadcast tanh u32 vec2u vec3u vec4 vec4f vec4h vec4i vec4u workgroupBarrier read read_write storage ' +
  'uniform workgroup Uniforms uniforms';

const taken: ReadonlySet<string> = new Set(`${keywords} ${reserved} ${builtins}`.split(' '));

/** The nearest WGSL identifier: other characters become `_`, words of the language get a trailing `_`. */
export function identifier(name: string): string {
  let word = name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^_+(?=_)/, '');
  if (!/^[A-Za-z_]/.test(word) || word === '_') word = `v_${word}`;
  return taken.has(word) ? `${word}_` : word;
}

/** Hands out identifiers, each once. */
export class Namer {
  readonly #used = new Set<string>();

  /** `name` made an identifier, numbered from 2 where it is taken. */
  unique(name: string): string {
    const word = identifier(name);
    let candidate = word;
    for (let n = 2; this.#used.has(candidate); n++) candidate = `${word}${word.endsWith('_') ? '' : '_'}${n}`;
    this.#used.add(candidate);
    return candidate;
  }
}

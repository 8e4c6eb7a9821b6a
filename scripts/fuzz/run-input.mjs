/**
 * Runs everything that reads an input of a kind. Throws where one of them throws what it may not, or where results
 * disagree.
 */
export function runInput(api, kind, input) {
  if (kind === 'safetensors') runFile(api, input);
  else runText(api, typeof input === 'string' ? input : decode(api, input));
}

function decode(api, bytes) {
  const { text, wrong } = api.decodeUtf8(bytes);
  if (wrong) {
    const diagnostic = api.notUtf8({ name: 'fuzz.dnn', text }, wrong);
    render(api, [diagnostic]);
    if (!(wrong.offset >= 0 && wrong.offset < bytes.length)) throw new Error(`offset ${wrong.offset}`);
  }
  return text;
}

function runText(api, text) {
  const source = { name: 'fuzz.dnn', text };
  const { diagnostics } = api.parse(source);
  render(api, diagnostics);
  const formatted = api.format(source);
  render(api, formatted.diagnostics);
  if (formatted.text === undefined && formatted.diagnostics.length === 0)
    throw new Error('format without a word');
  if (formatted.text !== undefined) {
    const again = api.format({ name: 'fuzz.dnn', text: formatted.text });
    if (again.text !== formatted.text) throw new Error('formatting twice makes a difference');
  }
  const resolve = path =>
    path.includes('missing')
      ? undefined
      : { name: path, text: 'const A = 1\nblock B()(x: f32[N]) -> f32[N] { return x }' };
  const checked = api.check(source, { resolve });
  render(api, checked.diagnostics);
  if (checked.module === undefined && checked.diagnostics.length === 0)
    throw new Error('no module and no diagnostic');
}

function render(api, diagnostics) {
  for (const each of diagnostics) {
    const text = api.renderDiagnostic(each);
    if (/\bundefined\b|\bNaN\b|\[object/.test(each.message)) throw new Error(`message: ${each.message}`);
    if (text === '') throw new Error('an empty diagnostic');
  }
}

function runFile(api, bytes) {
  try {
    for (const [name, tensor] of api.readSafetensors(bytes, 'fuzz.safetensors').tensors) {
      api.toNdArray(tensor, name);
    }
  } catch (error) {
    if (error?.name !== 'DiagnosticError') throw error;
    render(api, error.diagnostics);
  }
  try {
    api.readWeights(bytes);
  } catch (error) {
    // What the reader means to say is a plain Error; the others are slips.
    if (error?.name !== 'Error') throw error;
  }
}

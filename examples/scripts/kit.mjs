// What the evidence of examples is made with.
export { plot } from './plot.mjs';
export { readPng, sheet, writePng } from './png.mjs';
export { asFloats, digits, load, save, writeSplit } from './tensors.mjs';

import { argExtreme } from './arg-extreme.ts';

export const argmax = argExtreme('max');

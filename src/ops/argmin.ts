import { argExtreme } from './arg-extreme.ts';

export const argmin = argExtreme('min');

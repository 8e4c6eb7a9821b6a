/** What a training takes where its flags say nothing. */
export const defaults = { batch: 32, epochs: 10, seed: 0, target: 'auto' } as const;

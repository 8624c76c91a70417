import type { Bench } from './bench-case.ts';
export const slow: Bench = { name: 'slow', async run() {} };

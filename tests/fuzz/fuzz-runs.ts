import { randomInt } from 'node:crypto';

/** `NEXUS_FUZZ_FACTOR=100` runs everything a hundred times as long. */
const factor = Number(process.env['NEXUS_FUZZ_FACTOR'] ?? 1);

/** How often something is tried. */
export const runs = (atFactorOne: number): number => Math.ceil(atFactorOne * factor);

/** `NEXUS_FUZZ_SEED=N` repeats a run. fast-check prints it when a property fails. */
export const seed = Number(process.env['NEXUS_FUZZ_SEED'] ?? randomInt(2 ** 31));

import { parseArgs } from 'node:util';
import type { BenchOptions } from './bench-case.ts';

export const usage = `npm run bench -- <bench or metric>... [options]

  --rounds N          measurements of each side, at least 1 (5)
  --seconds S         length of one measurement (each bench has its own default)
  --form FORM         readers of fanout: subscribe (operators) or mention (aspects, by @all)
  --nats-server PATH  program of the peer (NATS_SERVER, or nats-server)
  --built             our server as it is installed, from dist/ (npm run build), not from source
  --profile DIR       write CPU profiles of our server there
  --verbose           a line a round on stderr, also when it is no terminal`;

export interface CommandLine {
  /** Benches, or metrics of them such as `fanout.sparse`. */
  readonly names: readonly string[];
  readonly options: BenchOptions;
  readonly verbose: boolean;
}

/** Reads the arguments. Throws an `Error` that says what is wrong with them. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string' },
      form: { type: 'string', default: 'subscribe' },
      'nats-server': { type: 'string', default: process.env['NATS_SERVER'] || 'nats-server' },
      built: { type: 'boolean', default: false },
      profile: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const { form } = values;
  if (form !== 'subscribe' && form !== 'mention') {
    throw new Error(`--form ${form}: it is subscribe or mention`);
  }
  return {
    names: positionals,
    verbose: values.verbose,
    options: {
      rounds: positive('--rounds', values.rounds),
      seconds: values.seconds === undefined ? undefined : positive('--seconds', values.seconds),
      form,
      natsServer: values['nats-server'],
      built: values.built,
      profileDir: values.profile,
    },
  };
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (value > 0 && (flag !== '--rounds' || Number.isInteger(value))) return value;
  throw new Error(`${flag} ${text}: it is a number above 0`);
}

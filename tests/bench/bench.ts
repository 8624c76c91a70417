import { messageOf } from '#shared/errors';
import type { Bench } from './bench-case.ts';
import { connect } from './connect.ts';
import { fanout } from './fanout.ts';
import { idle } from './idle.ts';
import { type CommandLine, parseCommandLine, usage } from './options.ts';
import { recover } from './recover.ts';
import { send } from './send.ts';
import { slow } from './slow.ts';
import { Workbench } from './workbench.ts';

const benches: readonly Bench[] = [fanout, send, slow, connect, idle, recover];

/** Runs what was asked for, prints one JSON object a line, and cleans up however it ends. */
async function main({ names, options, verbose }: CommandLine): Promise<void> {
  const workbench = new Workbench();
  for (const [signal, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
    process.once(signal, () => void workbench.close().finally(() => process.exit(code)));
  }
  const watched = verbose || process.stderr.isTTY;
  try {
    for (const bench of chosen(names)) {
      await bench.run({
        options,
        workbench,
        wants: (metric) => names.includes(bench.name) || names.includes(metric),
        report: (result) => console.log(JSON.stringify(result)),
        progress: (line) => watched && console.error(line),
        note: (line) => console.error(line),
      });
    }
  } finally {
    await workbench.close();
  }
}

/** Throws for a name that belongs to no bench. */
function chosen(names: readonly string[]): Bench[] {
  if (names.length === 0) throw new Error(`which one?\n${usage}`);
  const asked = names.map((name) => {
    const bench = benches.find((each) => each.name === name.split('.')[0]);
    if (bench) return bench;
    throw new Error(`no bench ${name}; there are: ${benches.map((each) => each.name).join(', ')}`);
  });
  return [...new Set(asked)];
}

try {
  await main(parseCommandLine(process.argv.slice(2)));
} catch (error) {
  console.error(`bench: ${messageOf(error)}`);
  process.exitCode = 1;
}

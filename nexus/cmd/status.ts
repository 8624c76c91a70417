import type { CommandModule, InferredOptionTypes } from 'yargs';
import { findBroker } from '../operator/broker-access.ts';
import { Room } from '../operator/room.ts';
import { rosterTable } from '../operator/roster-table.ts';
import { clientFlags } from './flags.ts';

const ignore = () => undefined;

/** `nexus status`: who is registered and how alive. */
export const command: CommandModule<object, InferredOptionTypes<typeof clientFlags>> = {
  command: 'status',
  describe: 'print the roster',
  builder: clientFlags,
  async handler(argv) {
    const access = findBroker(argv['data-dir'], argv);
    const room = await Room.enter(access, { message: ignore, reaction: ignore, roster: ignore });
    const rows = await room.roster().finally(() => room.leave());
    if (argv.json) for (const row of rows) console.log(JSON.stringify(row));
    else console.log(`${access.url}\n${rosterTable(rows, process.stdout)}`);
  },
};

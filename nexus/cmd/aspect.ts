import type { Argv, CommandModule, InferredOptionTypes, Options } from 'yargs';
import { nameKey } from '#shared/config/names';
import type { AspectAdmin } from '../aspects/aspect-admin.ts';
import { aspectTable } from '../operator/aspect-table.ts';
import { OperatorError } from '../operator/errors.ts';
import { openAspects } from './aspect-access.ts';
import { enroll, mint } from './aspect-mint.ts';
import { dataDirFlag, jsonFlag } from './flags.ts';

const flags = {
  ...dataDirFlag,
  ...jsonFlag,
  via: {
    type: 'string',
    describe: 'address of a running broker; found through --data-dir unless given',
  },
} as const satisfies Record<string, Options>;

type AspectFlags = InferredOptionTypes<typeof flags>;

/** `nexus aspect VERB`: which aspects have an identity of their own. */
export const command: CommandModule<object, AspectFlags> = {
  command: 'aspect',
  describe: 'give aspects keyfiles, list them, keep them out',
  builder: (yargs) =>
    (yargs as Argv<object>)
      .options(flags)
      .command(mint)
      .command(enroll)
      .command(list)
      .command(status)
      .command(retire)
      .command(resurrect)
      .demandCommand(1, 'which verb? mint, enroll, list, status, retire or resurrect'),
  // Only its verbs do anything.
  handler: () => undefined,
};

type Named = AspectFlags & { name: string };

const named = (yargs: Argv<AspectFlags>): Argv<Named> =>
  yargs.positional('name', { type: 'string', demandOption: true });

/** Runs one verb on the aspects of a broker or of a data directory. */
async function using<T>(argv: AspectFlags, act: (admin: AspectAdmin) => Promise<T>): Promise<T> {
  const admin = await openAspects(argv);
  return act(admin).finally(() => admin.close());
}

const list: CommandModule<AspectFlags, AspectFlags> = {
  command: 'list',
  describe: 'everyone who was ever given a keyfile',
  async handler(argv) {
    const rows = await using(argv, (admin) => admin.list());
    if (argv.json) for (const row of rows) console.log(JSON.stringify(row));
    else console.log(aspectTable(rows, process.stdout));
  },
};

const status: CommandModule<AspectFlags, Named> = {
  command: 'status <name>',
  describe: 'one of them',
  builder: named,
  async handler(argv) {
    const rows = await using(argv, (admin) => admin.list());
    const row = rows.find(({ name }) => nameKey(name) === nameKey(argv.name));
    if (!row) {
      const message = `no keyfile was ever minted for an aspect ${argv.name}`;
      throw new OperatorError('operator.refused', message);
    }
    if (argv.json) console.log(JSON.stringify(row));
    else console.log(aspectTable([row], process.stdout));
  },
};

const retire: CommandModule<AspectFlags, Named> = {
  command: 'retire <name>',
  describe: 'keep an aspect out: its keyfiles and tokens are void at once',
  builder: named,
  async handler(argv) {
    const row = await using(argv, (admin) => admin.retire(argv.name));
    console.log(argv.json ? JSON.stringify(row) : `${row.name} is retired and has no way in`);
  },
};

const resurrect: CommandModule<AspectFlags, Named> = {
  command: 'resurrect <name>',
  describe: 'take a retired aspect back; it needs a new keyfile',
  builder: named,
  async handler(argv) {
    const row = await using(argv, (admin) => admin.resurrect(argv.name));
    const next = `${row.name} is back; give it a keyfile with: nexus aspect enroll ${row.name}`;
    console.log(argv.json ? JSON.stringify(row) : next);
  },
};

import { join } from 'node:path';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { migrations } from '../app/broker.ts';
import { AuditJournal } from '../audit/audit-journal.ts';
import { auditTable } from '../audit/audit-table.ts';
import { exportJournal, verifyExport } from '../audit/export-file.ts';
import { openToRead } from '../storage/database.ts';
import { dataDirFlag, jsonFlag } from './flags.ts';
import { Progress } from './progress.ts';

const flags = {
  ...dataDirFlag,
  ...jsonFlag,
  kind: { type: 'string', describe: 'list: events whose kind begins so (all but chat)' },
  actor: { type: 'string', describe: 'list: what this name did' },
  above: { type: 'number', default: 0, describe: 'list, export: events above this position' },
  limit: { type: 'number', default: 50, describe: 'list: the newest so many' },
  out: { type: 'string', describe: 'export: the file to write; it must not exist' },
  file: { type: 'string', describe: 'verify: an export, instead of the data directory' },
  'public-key': { type: 'string', describe: 'verify: the key that must have signed, in hex' },
} as const satisfies Record<string, Options>;

type Flags = InferredOptionTypes<typeof flags> & { action: string };

const actions: Readonly<Record<string, (argv: Flags) => void | Promise<void>>> = {
  list,
  verify,
  export: exportTo,
};

/** `nexus audit list|verify|export`: what was done, and whether the record of it holds. */
export const command: CommandModule<object, Flags> = {
  command: 'audit <action>',
  describe: 'show, check or export the record of every privileged action',
  builder: (yargs) =>
    yargs
      .options(flags)
      .positional('action', { choices: Object.keys(actions), demandOption: true, type: 'string' })
      .check(({ action, out }) => action !== 'export' || Boolean(out) || 'export needs --out FILE'),
  handler: (argv) => actions[argv.action]?.(argv),
};

function withJournal<Result>(argv: Flags, use: (journal: AuditJournal) => Result): Result {
  const db = openToRead(join(argv['data-dir'], 'nexus.db'), migrations);
  return use(new AuditJournal(db));
}

function list(argv: Flags): void {
  const events = withJournal(argv, (journal) => journal.list(argv));
  if (argv.json) for (const event of events) console.log(JSON.stringify(event));
  else console.log(auditTable(events));
}

async function verify(argv: Flags): Promise<void> {
  const key = argv['public-key'];
  if (argv.file) {
    const { events, nexusId, publicKey, head } = await verifyExport(argv.file, key);
    const facts = { events, nexus_id: nexusId, public_key: publicKey, head };
    const trust = key
      ? 'by the key that you gave'
      : `by ${publicKey}: compare it with what you know`;
    tell(argv, facts, `${events} events of ${nexusId} hold, signed ${trust}`);
    return;
  }
  const progress = new Progress('events checked');
  const { head, signedUpTo } = withJournal(argv, (journal) =>
    journal.verify((position) => progress.at(position)),
  );
  progress.end();
  const facts = { events: head.position, signed_up_to: signedUpTo, head };
  tell(argv, facts, `${head.position} events hold, signed up to position ${signedUpTo}`);
}

async function exportTo(argv: Flags): Promise<void> {
  const { out = '' } = argv;
  const events = await withJournal(argv, (journal) => exportJournal(journal, out, argv.above));
  tell(argv, { events, file: out }, `${events} events written to ${out}`);
}

function tell({ json }: Flags, facts: object, words: string): void {
  console.log(json ? JSON.stringify(facts) : words);
}

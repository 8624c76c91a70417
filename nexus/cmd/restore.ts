import { resolve } from 'node:path';
import type { CommandModule, InferredOptionTypes } from 'yargs';
import { migrations } from '../app/broker.ts';
import { AuditJournal } from '../audit/audit-journal.ts';
import { restoreBackup } from '../storage/backup.ts';
import { DataDir } from '../storage/data-dir.ts';
import { openDatabase } from '../storage/database.ts';
import { dataDirFlag, jsonFlag } from './flags.ts';
import { Progress } from './progress.ts';

const flags = { ...dataDirFlag, ...jsonFlag } as const;

type Flags = InferredOptionTypes<typeof flags> & { folder: string };

/** `nexus restore FOLDER`: puts a backup into an empty data directory. */
export const command: CommandModule<object, Flags> = {
  command: 'restore <folder>',
  describe: 'put a backup into an empty data directory, after checking all of it',
  builder: (yargs) =>
    yargs.options(flags).positional('folder', { type: 'string', demandOption: true }),
  async handler(argv) {
    const dataDir = DataDir.open(argv['data-dir']);
    try {
      const restored = await restoreBackup(resolve(argv.folder), dataDir.path, verify);
      const { nexusId, madeAt, files } = restored;
      console.log(
        argv.json
          ? JSON.stringify({ nexus_id: nexusId, made_at: madeAt, files, data_dir: dataDir.path })
          : `${nexusId} as of ${madeAt} is in ${dataDir.path}; start it with: nexus up --data-dir ${argv['data-dir']}`,
      );
    } finally {
      dataDir.close();
    }
  },
};

/** The record of everything must hold from the first event to the last. */
function verify(path: string): void {
  const database = openDatabase(path, migrations);
  const progress = new Progress('events checked');
  try {
    new AuditJournal(database.reader).verify((position) => progress.at(position));
  } finally {
    progress.end();
    database.close();
  }
}

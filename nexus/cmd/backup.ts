import { join, resolve } from 'node:path';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { systemClock } from '#shared/sys/clock';
import { migrations } from '../app/broker.ts';
import { AuditJournal } from '../audit/audit-journal.ts';
import { databaseFile, makeBackup } from '../storage/backup.ts';
import { openToRead } from '../storage/database.ts';
import { dataDirFlag, jsonFlag } from './flags.ts';

const flags = {
  ...dataDirFlag,
  ...jsonFlag,
  out: { type: 'string', describe: 'the folder to make (nexus-backup-TIME)' },
} as const satisfies Record<string, Options>;

/** `nexus backup`: a whole copy of the instance, also while its broker runs. */
export const command: CommandModule<object, InferredOptionTypes<typeof flags>> = {
  command: 'backup',
  describe: 'copy the instance into a new folder, also while its broker runs',
  builder: flags,
  async handler(argv) {
    const dataDir = resolve(argv['data-dir']);
    const now = systemClock.now();
    const stamp = new Date(now).toISOString().slice(0, 19).replaceAll(':', '');
    const folder = resolve(argv.out ?? `nexus-backup-${stamp}`);
    const db = openToRead(join(dataDir, databaseFile), migrations);
    const { nexusId } = new AuditJournal(db);
    const { files, bytes } = await makeBackup(db, dataDir, folder, { nexusId, now });
    db.close();
    const megabytes = (bytes / 1e6).toFixed(1);
    console.log(
      argv.json
        ? JSON.stringify({ folder, files, bytes })
        : `${files} files (${megabytes} MB) in ${folder}\nPrivate keys are in it: keep it safe. Back with: nexus restore ${folder} --data-dir DIR`,
    );
  },
};

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { systemClock } from '#shared/sys/clock';
import { migrations } from '../app/broker.ts';
import { AuditJournal } from '../audit/audit-journal.ts';
import { type BackupMade, databaseFile, makeBackup } from '../storage/backup.ts';
import { openToRead } from '../storage/database.ts';
import { vaultKeyFile } from '../vault/keys/key-file.ts';
import { dataDirFlag, jsonFlag } from './flags.ts';

const flags = {
  ...dataDirFlag,
  ...jsonFlag,
  out: { type: 'string', describe: 'the folder to make (nexus-backup-TIME)' },
  'with-keys': {
    type: 'boolean',
    default: false,
    describe: 'copy vault.key too: whoever has the backup can then open the credentials',
  },
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
    const keyFile = argv['with-keys'] ? vaultKeyFile : undefined;
    const made = await makeBackup(db, dataDir, folder, { nexusId, now, keyFile });
    db.close();
    console.log(argv.json ? JSON.stringify(made) : summary(made, dataDir));
  },
};

function summary({ folder, files, bytes }: BackupMade, dataDir: string): string {
  const key = join(dataDir, vaultKeyFile);
  const isAlone = existsSync(key) && !existsSync(join(folder, vaultKeyFile));
  return [
    `${files} files (${(bytes / 1e6).toFixed(1)} MB) in ${folder}`,
    'Private keys are in it: keep it safe.',
    ...(isAlone ? [`Its credentials open only with ${key}: keep a copy of that elsewhere.`] : []),
    `Back with: nexus restore ${folder} --data-dir DIR`,
  ].join('\n');
}

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '#shared/sys/clock';
import { Closers } from '#shared/sys/closers';
import type { AspectAdmin } from '../aspects/aspect-admin.ts';
import { AspectStore } from '../aspects/aspect-store.ts';
import { aspectView } from '../aspects/aspect-view.ts';
import { AspectRegistry } from '../aspects/registry.ts';
import { operatorName } from '../credentials/identity.ts';
import { ensureInstanceIdentity } from '../credentials/instance-identity.ts';
import { TokenStore } from '../credentials/token-store.ts';
import { SqliteJournal } from '../journal/sqlite-journal.ts';
import { DataDir } from '../storage/data-dir.ts';
import { openDatabase } from '../storage/database.ts';
import { migrations } from './broker.ts';
import { StartRefused } from './errors.ts';

/**
 * The aspects of a data directory on which no broker runs, under its lock. Throws `StorageError`
 * when one does, and `StartRefused` when there is no instance.
 */
export async function openLocalAspects(folder: string): Promise<AspectAdmin> {
  if (!existsSync(join(folder, databaseFile))) {
    const where = resolve(folder);
    throw new StartRefused(
      'start.no_instance',
      `there is no instance in ${where}; start one with: nexus up (or pass its --data-dir)`,
    );
  }
  const closers = new Closers();
  try {
    return open(folder, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

const databaseFile = 'nexus.db';

function open(folder: string, closers: Closers): AspectAdmin {
  const dataDir = DataDir.open(folder);
  closers.add(() => dataDir.close());
  const database = openDatabase(dataDir.file(databaseFile), migrations);
  closers.add(() => database.close());
  const clock = systemClock;
  const { nexusId, publicKey } = ensureInstanceIdentity(database, clock.now());
  const tokens = new TokenStore(database);
  const store = new AspectStore(database);
  // Whatever derives from the events of aspects must see them here too.
  const journal = new SqliteJournal({ database, projections: [tokens, store], clock });
  closers.add(() => journal.close());
  const findName = (name: string) => tokens.findName(name);
  const registry = new AspectRegistry({ journal, store, findName });
  return {
    brokerUrl: undefined,
    async mint(request) {
      const { record, existed } = await registry.mint(request, operatorName);
      return {
        name: record.name,
        keyfile_version: record.version,
        nexus_id: nexusId,
        server_pubkey_b64: publicKey.toString('base64'),
        previously_existed: existed,
      };
    },
    list: () => Promise.resolve(registry.list().map(aspectView)),
    retire: async (name) => aspectView(await registry.retire(name, operatorName)),
    resurrect: async (name) => aspectView(await registry.resurrect(name, operatorName)),
    close: () => closers.closeAll(),
  };
}

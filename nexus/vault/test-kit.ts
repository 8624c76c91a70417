import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { KnownSecrets } from '#shared/sys/known-secrets';
import { silentLog } from '#shared/sys/log';
import { JournalError } from '../journal/errors.ts';
import type { Journal } from '../journal/journal.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { openDatabase } from '../storage/database.ts';
import { vaultKeyFile } from './keys/key-file.ts';
import { type OpenVault, openVault } from './open-vault.ts';
import { ProfileStore } from './profiles/profile-store.ts';
import { VaultStore } from './vault-store.ts';
import { vaultMigration } from './vault-tables.ts';

/** The session secret of every instance in these tests. */
export const sessionSecret = Buffer.alloc(32, 7);

export const jira = {
  atlassian_email: 'wren@team.test',
  atlassian_token: 'jira-token-1',
  atlassian_subdomain: 'team',
};
export const provider = { api_shape: 'openai', base_url: 'https://api.test', key: 'sk-main-1' };

/** The same journal on a disk that takes no more. */
export const full = (journal: Journal): Journal => ({
  get head() {
    return journal.head;
  },
  append: () => Promise.reject(new JournalError('journal.full', 'the disk is full')),
  read: (above, limit) => journal.read(above, limit),
  onCommit: (listener) => journal.onCommit(listener),
  close: () => journal.close(),
});

/** A folder that goes when the test ends. */
export function keyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-vault-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A vault on SQLite in memory, with its key in a folder, that can be started again. */
export function vaultOn(t: TestContext, folder = keyFolder(t)) {
  const database = openDatabase(':memory:', [journalMigration, vaultMigration]);
  t.after(() => database.close());
  const clock = new FakeClock(Date.UTC(2026, 4, 1));
  const store = new VaultStore(database);
  const profileStore = new ProfileStore(database);
  const projections = [store, profileStore];
  const journal = new SqliteJournal({ database, projections, clock });
  const secrets = new KnownSecrets();
  const keyFile = join(folder, vaultKeyFile);
  const start = (more: { givenKeys?: string; journal?: Journal } = {}): Promise<OpenVault> =>
    openVault({
      journal,
      store,
      profileStore,
      keyFile,
      givenKeys: undefined,
      sessionSecret,
      secrets,
      log: silentLog,
      ...more,
    });
  const dump = () =>
    JSON.stringify(
      projections
        .flatMap(({ tables }) => tables)
        .map((table) => database.reader.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all()),
    );
  return { database, clock, store, projections, journal, secrets, keyFile, start, dump };
}

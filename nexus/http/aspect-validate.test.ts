import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { newSigningPair } from '#shared/crypto/ed25519-keys';
import { makeKeyfile } from '#shared/crypto/keyfile-payload';
import { FakeClock } from '#shared/sys/fake-clock';
import { silentLog } from '#shared/sys/log';
import { AspectStore, aspectMigration } from '../aspects/aspect-store.ts';
import type { AspectBundle } from '../aspects/personality-source.ts';
import { AspectRegistry } from '../aspects/registry.ts';
import { SessionTokens } from '../credentials/session-token.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { openDatabase } from '../storage/database.ts';
import { buildHttpApp } from './app.ts';
import { validateRates, validateRoutes } from './aspect-validate.ts';

const nexusId = '0f8b2c1e-7d43-4a55-9a0e-5f1f3f1f2a77';

/** What a broker answers to wren's keyfile when this is what it knows of wren. */
async function validated(t: TestContext, bundle: AspectBundle) {
  const database = openDatabase(':memory:', [journalMigration, aspectMigration]);
  const store = new AspectStore(database);
  const clock = new FakeClock();
  const journal = new SqliteJournal({ database, projections: [store], clock });
  t.after(async () => {
    await journal.close();
    database.close();
  });
  const registry = new AspectRegistry({ journal, store });
  const { seed, publicKey } = newSigningPair();
  await registry.mint({ name: 'wren', publicKey }, 'operator');

  const serverKeys = newSigningPair();
  const standing = { find: () => undefined, isRetired: () => false };
  const secret = Buffer.alloc(32);
  const warnings: unknown[] = [];
  const log = { ...silentLog, warn: (facts: unknown) => void warnings.push(facts) };
  const routes = validateRoutes({
    registry,
    serverKeys,
    nexusId,
    sessions: new SessionTokens({ secret, nexusId, standing, clock }),
    personalities: { bundleOf: () => Promise.resolve(bundle) },
    rates: validateRates,
    log,
  });
  const identify = () => ({ refused: 'unauthorized', message: '' }) as const;
  const app = buildHttpApp({ identify, bounded: [routes], open: [], guarded: [], clock, log });
  const { keyfile } = makeKeyfile({
    name: 'wren',
    seed,
    version: 1,
    nexusId,
    nexusUrl: 'ws://127.0.0.1',
    serverPublicKey: serverKeys.publicKey,
    now: 0,
  });
  const { encrypted_payload } = keyfile;
  const request = { method: 'POST', body: JSON.stringify({ encrypted_payload }) };
  const from = { remoteAddress: '127.0.0.1' };
  const response = await app.request('/api/aspect/validate', request, from);
  assert.equal(response.status, 200);
  const body = (await response.json()) as Record<string, unknown>;
  return { body, warnings };
}

const bundle = {
  personality: {
    nexusMd: 'what I do',
    soulMd: 'who I am',
    primerMd: 'what I know',
    composed: '',
    version: 4,
    updatedAt: '2026-06-01T09:30:00Z',
  },
  central: { nexusMd: 'what holds for all', version: 2 },
  mcpProfile: '{"a":1}',
};

suite('what an aspect is told when it comes in', () => {
  test('is who it is, what holds for all, and its tools', async (t) => {
    const { body, warnings } = await validated(t, bundle);
    assert.deepEqual(body['personality'], {
      nexus_md: 'what I do',
      soul_md: 'who I am',
      primer_md: 'what I know',
      composed: '',
      version: 4,
      updated_at: '2026-06-01T09:30:00Z',
    });
    const { central_nexus_md, central_version, mcp_profile } = body;
    assert.deepEqual(
      [central_nexus_md, central_version, mcp_profile],
      ['what holds for all', 2, '{"a":1}'],
    );
    assert.deepEqual(warnings, []);
  });

  test('comes with a warning in the log when older clients would cut it', async (t) => {
    const long = { ...bundle, mcpProfile: JSON.stringify('x'.repeat(64 * 1024)) };
    const { warnings } = await validated(t, long);
    assert.equal(warnings.length, 1);
    const { aspect, bytes } = warnings[0] as { aspect: string; bytes: number };
    assert.equal(aspect, 'wren');
    assert.ok(bytes > 64 * 1024);
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Connection } from '../broker/connection.ts';
import { nowhere } from '../broker/test-kit.ts';
import type { CredentialSource } from './credential-source.ts';
import { credentialHandlers } from './handlers.ts';
import { aspectIdentity } from './identity.ts';

const bundle = { host: 'mail.test', user: 'wren', password: 'p' };

/** A vault with one credential, wren's default of its kind. */
const source: CredentialSource = {
  fetch: ({ aspect, kind, name = 'mail' }) =>
    Promise.resolve(
      aspect === 'wren' && kind === 'imap' && name === 'mail' ? { name, kind, bundle } : undefined,
    ),
};

const fetchAs = (aspect: string, ask: object): unknown => {
  const [handler] = credentialHandlers(source);
  return handler?.run(ask, new Connection(1, aspectIdentity(aspect), nowhere));
};

suite('credential.fetch', () => {
  test('hands over what the aspect may have, by name or as its default', async () => {
    const expected = { name: 'mail', kind: 'imap', bundle };
    for (const ask of [{ kind: 'imap' }, { kind: 'imap', name: 'mail' }]) {
      assert.deepEqual(await fetchAs('wren', ask), expected);
    }
  });

  test('does not tell apart what is missing and what is another’s', async () => {
    const refusal = (name: string, aspect: string) => ({
      code: 'not_found',
      message: `no imap credential "${name}" is stored for ${aspect}`,
    });
    for (const [name, aspect] of [
      ['mail', 'anvil'],
      ['other', 'wren'],
    ] as const) {
      const asked = fetchAs(aspect, { kind: 'imap', name }) as Promise<unknown>;
      await assert.rejects(asked, refusal(name, aspect));
    }
  });
});

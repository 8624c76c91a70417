import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { assertBundle, maxBundleBytes, secretsIn } from './kinds.ts';
import { assertAllowList, assertCredentialName, assertDescription } from './limits.ts';

const provider = { api_shape: 'openai', base_url: 'https://api.test', key: 'sk-1' };
const jira = { atlassian_email: 'a@b.test', atlassian_token: 't', atlassian_subdomain: 's' };
const imap = { host: 'h', user: 'u', password: 'p' };

/** An object that is nested so deep. */
const nested = (depth: number): object => (depth === 0 ? {} : { in: nested(depth - 1) });

suite('a bundle', () => {
  test('has the members of its kind, and keeps others', () => {
    assertBundle('provider', { ...provider, default_model: 'm', organisation: 'o' });
    assertBundle('jira', { ...jira, extra: { a: [1, 'x'] } });
    assertBundle('imap', { ...imap, port: 993, ssl: true });
  });

  test('is refused for a member that is missing, blank or of another type, without its value', () => {
    const refusals: [Parameters<typeof assertBundle>, RegExp][] = [
      [['provider', { ...provider, key: '' }], /provider credential needs "key"/],
      [['provider', { ...provider, base_url: ' \n' }], /needs "base_url"/],
      [['provider', { ...provider, api_shape: 'secret-shape' }], /one of: anthropic, openai$/],
      [['provider', { ...provider, default_model: 7 }], /"default_model" .* must be a text/],
      [['jira', { ...jira, atlassian_token: 7 }], /needs "atlassian_token"/],
      [['jira', {}], /needs "atlassian_email"/],
      [['imap', { ...imap, port: '993' }], /"port" .* must be a port/],
      [['imap', { ...imap, port: 65_536 }], /"port" .* must be a port/],
      [['imap', { ...imap, ssl: 'yes' }], /"ssl" .* must be a boolean/],
      [['imap', { ...imap, more: nested(15) }], /16 levels/],
    ];
    for (const [args, says] of refusals) {
      assert.throws(() => assertBundle(...args), { code: 'bad_request', message: says });
    }
    assert.throws(() => assertBundle('provider', { ...provider, api_shape: 'secret-shape' }), {
      message: /^(?!.*secret-shape)/,
    });
    assertBundle('imap', { ...imap, more: nested(14) });
  });

  test('has at most so many bytes as JSON', () => {
    const spare = maxBundleBytes - Buffer.byteLength(JSON.stringify(imap)) - '"more":"",'.length;
    assertBundle('imap', { ...imap, more: 'x'.repeat(spare) });
    const larger = () => assertBundle('imap', { ...imap, more: 'x'.repeat(spare + 1) });
    assert.throws(larger, { code: 'too_large' });
  });

  test('hides every text but those that are no secrets in its kind', () => {
    const more = { nested: [{ token: 'deep' }], port: 993 };
    assert.deepEqual(secretsIn('imap', { ...imap, ...more }), ['p', 'deep']);
    assert.deepEqual(secretsIn('provider', { ...provider, default_model: 'm' }), ['sk-1']);
    assert.deepEqual(secretsIn('jira', jira), ['t']);
    assert.deepEqual(secretsIn('of-another', { a: 'x' }), ['x']);
  });
});

suite('what is said of a credential', () => {
  test('its name is one line of text, dots and slashes and all', () => {
    for (const name of ['main', 'a.b.c', 'a/b', 'with space', 'é✓', 'x'.repeat(200)]) {
      assertCredentialName(name);
    }
    const bad = ['', ' ', ' x', 'x ', 'a\nb', 'a\u0000', '\u001b[2J', 'x'.repeat(201), '.', '..'];
    for (const name of [...bad, '\ud800', 'a\u2028b']) {
      const refused = () => assertCredentialName(name);
      assert.throws(refused, { code: 'bad_request' }, JSON.stringify(name));
    }
  });

  test('its list has names of aspects, or everybody', () => {
    assertAllowList([]);
    assertAllowList(['*', 'wren', 'Anvil_2']);
    assertAllowList(Array.from({ length: 256 }, (_, i) => `a${i}`));
    for (const list of [['a b'], [''], ['w*'], ['operator'], Array(257).fill('wren')]) {
      assert.throws(() => assertAllowList(list), { code: 'bad_request' });
    }
  });

  test('its description is one line', () => {
    assertDescription('');
    assertDescription('x'.repeat(500));
    for (const text of ['x'.repeat(501), 'two\nlines', '\u001b[31m']) {
      assert.throws(() => assertDescription(text), { code: 'bad_request' });
    }
  });
});

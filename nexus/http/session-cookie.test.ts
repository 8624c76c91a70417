import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Hono } from 'hono';
import { SessionCookie } from './session-cookie.ts';

async function cookieUnder(isSecure: boolean): Promise<string | null> {
  const cookie = new SessionCookie('0123456789abcdef', isSecure);
  const app = new Hono().get('/', (c) => {
    cookie.set(c, 'secret', 60_000);
    return c.text('');
  });
  return (await app.request('/')).headers.get('set-cookie');
}

suite('SessionCookie', () => {
  test('under TLS it stays there, and with this host', async () => {
    assert.equal(
      await cookieUnder(true),
      '__Host-nexus_01234567=secret; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Strict',
    );
  });

  test('on this machine it also works without', async () => {
    assert.equal(
      await cookieUnder(false),
      'nexus_01234567=secret; Max-Age=60; Path=/; HttpOnly; SameSite=Strict',
    );
  });
});

import assert from 'node:assert/strict';
import { type Check, reference } from './check.ts';
import { upgrade } from './upgrade.ts';

export const connectionChecks: readonly Check[] = [
  reference('§1.2', 'the token goes in the header or, failing that, in the query', async (site) => {
    const { token } = site;
    const bearer = { authorization: `Bearer ${token}` };
    assert.equal(await upgrade(site, { headers: bearer }), 101);
    assert.equal(await upgrade(site, { query: `token=${token}` }), 101);
    const malformed = { authorization: `bearer ${token}` };
    assert.equal(await upgrade(site, { headers: malformed }), 401, 'the prefix is case-sensitive');
    assert.equal(await upgrade(site, { headers: malformed, query: `token=${token}` }), 101);
  }),

  reference(
    '§1.5',
    'a missing or unknown token is refused with 401 before anything else',
    async (site) => {
      assert.equal(await upgrade(site, {}), 401);
      assert.equal(await upgrade(site, { query: 'token=nonsense' }), 401);
      const foreign = { origin: 'https://elsewhere.example' };
      assert.equal(await upgrade(site, { headers: foreign }), 401);
    },
  ),

  reference('§1.1', 'a foreign Origin is refused with 403, the own one is not', async (site) => {
    const query = `token=${site.token}`;
    assert.equal(
      await upgrade(site, { query, headers: { origin: 'https://elsewhere.example' } }),
      403,
    );
    const { protocol, host } = new URL(site.url);
    assert.equal(await upgrade(site, { query, headers: { origin: `${protocol}//${host}` } }), 101);
  }),

  reference('§1.1', 'no compression and no subprotocol is imposed', async (site) => {
    const headers = { 'sec-websocket-extensions': 'permessage-deflate' };
    const answered = await upgrade.headers(site, { query: `token=${site.token}`, headers });
    assert.equal(answered['sec-websocket-extensions'], undefined);
    assert.equal(answered['sec-websocket-protocol'], undefined);
  }),

  reference(
    '§1.5',
    'what is no WebSocket request gets 426, another method 405, a wrong version 400 or 426',
    async (site) => {
      const headers = { authorization: `Bearer ${site.token}` };
      const get = await fetch(`${site.url}/connect`, { headers });
      assert.equal(get.status, 426);
      const post = await fetch(`${site.url}/connect`, { method: 'POST', headers });
      assert.equal(post.status, 405);
      const old = await upgrade(site, { headers: { ...headers, 'sec-websocket-version': '12' } });
      assert.ok([400, 426].includes(old), String(old));
    },
  ),

  reference('§1.5', 'a binary message closes with 1003, one over 1 MiB with 1009', async (site) => {
    const binary = await site.connect();
    binary.sendBinary(Buffer.from('{}'));
    assert.equal(await binary.closed, 1003);
    const long = await site.connect();
    long.send(' '.repeat(1_048_577));
    assert.equal(await long.closed, 1009);
  }),

  reference('§1.6', 'a message of exactly 1 MiB is taken', async (site) => {
    const client = await site.connect();
    const frame = '{"kind":"chat.read","id":"big","payload":{}}';
    client.send(frame + ' '.repeat(1_048_576 - frame.length));
    await client.next((each) => each['in_reply_to'] === 'big', 'the answer');
  }),

  reference('§5', 'GET /health is open', async (site) => {
    const response = await fetch(`${site.url}/health`);
    assert.deepEqual([response.status, await response.json()], [200, { status: 'ok' }]);
  }),
];

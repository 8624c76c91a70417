import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { aspectIdentity, operatorIdentity } from './identity.ts';
import { isRefused, type RequestFacts, RequestIdentity } from './request-identity.ts';

const wren = aspectIdentity('wren');
const jwt = 'aaa.bbb.ccc';
const own = 'http://localhost:7888';

const rule = new RequestIdentity({
  resolveToken: (token) => (token === 'good' ? wren : undefined),
  resolveJwt: (token) =>
    Promise.resolve(
      { [jwt]: operatorIdentity, 'ended.bbb.ccc': 'ended' as const }[token] ?? undefined,
    ),
  resolveCookie: (secret) => (secret === 'mine' ? operatorIdentity : undefined),
  cookieName: 'nexus_1',
  isOwnOrigin: (origin) => origin === own,
});

/** The name it resolves to, or why it does not. */
async function verdict(facts: Partial<RequestFacts>): Promise<string> {
  const found = await rule.resolve({ method: 'GET', ...facts });
  return isRefused(found) ? found.refused : found.name;
}

suite('who sends a request', () => {
  test('is told by the header first, then the query, then the cookie', async () => {
    const authorization = 'Bearer good';
    const cookie = 'a=b; nexus_1=mine';
    assert.equal(await verdict({ authorization, queryToken: jwt, cookie }), 'wren');
    assert.equal(await verdict({ queryToken: jwt, cookie }), 'operator');
    assert.equal(await verdict({ cookie }), 'operator');
    assert.equal(await verdict({}), 'unauthorized');
  });

  test('is never told by the next one when the first is bad', async () => {
    const cookie = 'nexus_1=mine';
    for (const authorization of ['Bearer bad', 'Basic good', 'bearer good', 'Bearer', '']) {
      assert.equal(await verdict({ authorization, cookie }), 'unauthorized', authorization);
    }
    assert.equal(await verdict({ queryToken: 'bad', cookie }), 'unauthorized');
  });

  test('an operator’s session token holds no longer than its session', async () => {
    assert.equal(await verdict({ authorization: 'Bearer ended.bbb.ccc' }), 'unauthorized');
    assert.equal(await verdict({ authorization: 'Bearer x.y.z' }), 'unauthorized');
  });

  test('a cookie changes nothing, and opens no socket, without an origin of ours', async () => {
    const cookie = 'nexus_1=mine';
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'post']) {
      assert.equal(await verdict({ method, cookie }), 'forbidden', method);
      assert.equal(await verdict({ method, cookie, origin: own }), 'operator', method);
    }
    assert.equal(await verdict({ isUpgrade: true, cookie }), 'forbidden');
    assert.equal(await verdict({ isUpgrade: true, cookie, origin: own }), 'operator');
    for (const origin of ['null', '', 'http://localhost:7889', 'https://localhost:7888']) {
      assert.equal(await verdict({ cookie, origin }), 'forbidden', origin);
    }
  });

  test('an unknown cookie, an empty one and one of another name are nobody’s', async () => {
    assert.equal(await verdict({ cookie: 'nexus_1=theirs' }), 'unauthorized');
    assert.equal(await verdict({ cookie: 'nexus_1=' }), 'unauthorized');
    assert.equal(await verdict({ cookie: 'xnexus_1=mine' }), 'unauthorized');
    assert.equal(rule.isAnonymous({ method: 'GET', cookie: 'other=mine' }), true);
    assert.equal(rule.isAnonymous({ method: 'GET', cookie: 'nexus_1=mine' }), false);
  });
});

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { SessionTokens } from './session-token.ts';

const nexusId = '0f8b2c1e-7d43-4a55-9a0e-5f1f3f1f2a77';
const secret = Buffer.alloc(32, 7);

/** Who is known, with the keyfile version that counts. */
function open(known: Record<string, number> = { Wren: 3 }) {
  const clock = new FakeClock();
  const retired = new Set<string>();
  const standing = {
    find: (name: string) => {
      const [found] = Object.entries(known).filter(
        ([each]) => each.toLowerCase() === name.toLowerCase() && !retired.has(each),
      );
      return found && { name: found[0], kfv: found[1] };
    },
    isRetired: (name: string) => retired.has(name),
  };
  const tokens = new SessionTokens({ secret, nexusId, standing, clock });
  const nowS = () => Math.floor(clock.now() / 1000);
  return { clock, known, retired, tokens, nowS };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token made by hand, as another program would. */
function made(claims: object, { alg = 'HS256', key = secret } = {}): string {
  const head = `${part({ alg, typ: 'JWT' })}.${part(claims)}`;
  return `${head}.${createHmac('sha256', key).update(head).digest('base64url')}`;
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

suite('SessionTokens', () => {
  test('sign what the reference signs, and how long it holds', async () => {
    const { tokens, nowS } = open();
    const { token, expiresAt, sessionId } = await tokens.forAspect('Wren', 3);
    assert.deepEqual(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()), {
      alg: 'HS256',
      typ: 'JWT',
    });
    const iat = nowS();
    assert.deepEqual(claimsOf(token), {
      iss: `nexus://${nexusId}`,
      sub: 'Wren',
      iat,
      exp: iat + 3600,
      kfv: 3,
      ses: sessionId,
      typ: 'aspect',
    });
    assert.equal(expiresAt, (iat + 3600) * 1000);
    assert.match(sessionId, /^[0-9a-f-]{36}$/);
    const operator = await tokens.forOperator();
    const { sub, kfv, exp, ses, typ } = claimsOf(operator.token);
    assert.deepEqual([sub, kfv, exp, typ], ['operator', 0, iat + 12 * 3600, 'operator']);
    assert.match(String(ses), /^[0-9a-f]{32}$/);
  });

  test('resolve to who they were signed for, with what they allow', async () => {
    const { tokens } = open();
    const { token, expiresAt, sessionId } = await tokens.forAspect('wren', 3);
    const wren = await tokens.resolve(token);
    assert.equal(wren?.name, 'Wren', 'as it is spelt');
    assert.deepEqual([...(wren?.roles ?? [])], ['aspect']);
    assert.deepEqual([wren?.expiresAt, wren?.kfv, wren?.sessionId], [expiresAt, 3, sessionId]);
    const operator = await tokens.resolve((await tokens.forOperator()).token);
    assert.deepEqual([...(operator?.roles ?? [])], ['operator', 'admin']);
    const limited = await tokens.forAspect('Wren', 3, {
      scope: 'read',
      dispatchId: 'd1',
      lifetimeMs: 5_000,
    });
    const hand = await tokens.resolve(limited.token);
    assert.deepEqual([hand?.scope, hand?.dispatchId], ['read', 'd1']);
  });

  test('hold until the second in which they expire', async () => {
    const { tokens, clock } = open();
    const { token } = await tokens.forAspect('Wren', 3);
    clock.advance(3_599_999);
    assert.ok(await tokens.resolve(token));
    clock.advance(1);
    assert.equal(await tokens.resolve(token), undefined);
  });

  test('are void once another keyfile version counts, or the aspect is gone', async () => {
    const { tokens, known, retired } = open({ wren: 3, anvil: 0 });
    const { token } = await tokens.forAspect('wren', 3);
    const early = await tokens.forAspect('anvil', 0);
    assert.ok(await tokens.resolve(early.token), 'no keyfile was ever minted');
    known['anvil'] = 1;
    assert.equal(await tokens.resolve(early.token), undefined);
    for (const version of [2, 4]) {
      known['wren'] = version;
      assert.equal(await tokens.resolve(token), undefined);
    }
    known['wren'] = 3;
    assert.ok(await tokens.resolve(token));
    retired.add('wren');
    assert.equal(await tokens.resolve(token), undefined);
    assert.equal(await tokens.resolve((await tokens.forAspect('plumb', 0)).token), undefined);
  });

  test('of others are refused: another key, algorithm, issuer or form', async () => {
    const { tokens, nowS } = open();
    const claims = { sub: 'Wren', kfv: 3, exp: nowS() + 60 };
    assert.ok(await tokens.resolve(made(claims)), 'this is how a good one looks');
    const unsigned = `${part({ alg: 'none' })}.${part(claims)}.`;
    const bad = [
      made(claims, { key: Buffer.alloc(32, 8) }),
      made(claims, { alg: 'HS384' }),
      made(claims, { alg: 'none' }),
      unsigned,
      `${unsigned}x`,
      `${made(claims).slice(0, -2)}AA`,
      made({ ...claims, iss: 'nexus://another' }),
      made({ ...claims, exp: undefined }),
      made({ ...claims, exp: 'soon' }),
      made({ ...claims, sub: undefined }),
      made({ ...claims, sub: '' }),
      made({ ...claims, kfv: '3' }),
      made({ ...claims, kfv: undefined }),
      made({ ...claims, nbf: nowS() + 30 }),
      'a.b.c',
      '..',
      '',
    ];
    for (const token of bad) assert.equal(await tokens.resolve(token), undefined, token);
  });

  test('without a type are an aspect’s, or the operator’s as the reference’s tester signs', async () => {
    const { tokens, nowS } = open({ Wren: 3, frame: 1, system: 1 });
    const exp = nowS() + 900;
    const tester = { iss: `nexus://${nexusId}`, sub: 'operator', exp, ses: 'wstest-operator' };
    assert.equal((await tokens.resolve(made(tester)))?.name, 'operator');
    assert.equal((await tokens.resolve(made({ sub: 'Wren', kfv: 3, exp })))?.name, 'Wren');
    const bad = [
      { sub: 'operator', typ: 'aspect' },
      { sub: 'Wren', kfv: 3, typ: 'operator' },
      { sub: 'Wren', kfv: 3, typ: 'other' },
      { sub: 'Operator', kfv: 0 },
      { sub: 'frame', kfv: 1, typ: 'aspect' },
      { sub: 'system', kfv: 1 },
      { sub: '../up', kfv: 1 },
    ];
    for (const claims of bad) {
      assert.equal(
        await tokens.resolve(made({ ...claims, exp })),
        undefined,
        JSON.stringify(claims),
      );
    }
  });

  test('with a limit that nobody knows allow nothing', async () => {
    const { tokens, nowS } = open();
    const claims = { sub: 'Wren', kfv: 3, exp: nowS() + 60 };
    for (const limit of [{ scope: 'write' }, { scope: null }, { dispatch: 7 }, { dispatch: '' }]) {
      assert.equal(await tokens.resolve(made({ ...claims, ...limit })), undefined);
    }
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type RouteRule, routeTable } from '#nexus/http/route-table';
import { FakeClock } from '#shared/sys/fake-clock';
import { asOperator, call, roomyRates, signedIn } from './http-client.ts';
import { startNexus, type TestNexus } from './start-nexus.ts';

type Outcome = 401 | 403 | 'served';
type Headers = Record<string, string>;

interface Caller {
  /** What this caller sends, made anew for each request: some of them end sessions. */
  readonly headers: (nexus: TestNexus, method: string) => Headers | Promise<Headers>;
  readonly query?: (nexus: TestNexus) => string;
  readonly expects: (rule: RouteRule, method: string) => Outcome;
}

const refusedUnlessOpen =
  (status: 401 | 403) =>
  ({ open }: RouteRule): Outcome =>
    open ? 'served' : status;

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

async function adminAspect(nexus: TestNexus): Promise<Headers> {
  const made = await asOperator(nexus, 'POST', '/api/admin/tokens', { name: 'lead', admin: true });
  return bearer(String(made.body['token']));
}

const levels = ['viewer', 'operator', 'admin'];

/** A signed-in browser: with a role, and an origin where it must have one. */
const person = (role: string): Caller => ({
  async headers(nexus) {
    const { cookie = '', origin } = await signedIn(nexus, { operator: `the-${role}`, role });
    return { cookie, origin };
  },
  expects({ open, operators, hostOnly }) {
    if (open) return 'served';
    if (!operators || hostOnly) return 403;
    return levels.indexOf(role) >= levels.indexOf(operators) ? 'served' : 403;
  },
});

const callers: Readonly<Record<string, Caller>> = {
  nobody: { headers: () => ({}), expects: refusedUnlessOpen(401) },
  'a malformed token': {
    headers: ({ operatorToken }) => ({ authorization: `bearer  ${operatorToken()}` }),
    expects: refusedUnlessOpen(401),
  },
  'an unknown token': {
    headers: () => bearer('f'.repeat(64)),
    expects: refusedUnlessOpen(401),
  },
  'a forged session token': {
    headers: () => bearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiJvcGVyYXRvciJ9.AA'),
    expects: refusedUnlessOpen(401),
  },
  'a token in the query': {
    headers: () => ({}),
    query: (nexus) => `?token=${nexus.operatorToken()}`,
    expects: refusedUnlessOpen(401),
  },
  'a bad token beside a good cookie': {
    async headers(nexus) {
      const { cookie = '', origin } = await signedIn(nexus);
      return { cookie, origin, ...bearer('f'.repeat(64)) };
    },
    expects: refusedUnlessOpen(401),
  },
  'an aspect': {
    headers: async (nexus) => bearer(await nexus.token('wren')),
    expects: ({ open, aspects }) => (open || aspects === 'any' ? 'served' : 403),
  },
  'an aspect that may act for others': {
    headers: adminAspect,
    expects: ({ open, aspects }) => (open || aspects ? 'served' : 403),
  },
  'the token of the data directory': {
    headers: (nexus) => bearer(nexus.operatorToken()),
    expects: ({ open, operators }) => (open || operators ? 'served' : 403),
  },
  'a viewer': person('viewer'),
  'an operator': person('operator'),
  'an admin': person('admin'),
  'a cookie without an origin': {
    async headers(nexus) {
      const { cookie = '' } = await signedIn(nexus);
      return { cookie };
    },
    expects: (rule, method) => (rule.open || (method === 'GET' && rule.operators) ? 'served' : 403),
  },
  'a foreign origin': {
    async headers(nexus) {
      const { cookie = '' } = await signedIn(nexus);
      return { cookie, origin: 'https://elsewhere.example' };
    },
    expects: () => 403,
  },
  'a foreign host': {
    headers: (nexus) => ({ ...bearer(nexus.operatorToken()), host: 'elsewhere.example' }),
    expects: () => 403,
  },
};

/** A path that the route takes. */
const pathOf = (pattern: string): string =>
  pattern.replace(':file', 'page.css').replaceAll(/:\w+(\{.*?\}(?=\/|$))?/g, '1');

const guarded = Object.entries(routeTable).filter(([, rule]) => !rule.refusesItself);

const routes = guarded.map(([key, rule]) => {
  const [method = '', pattern = ''] = key.split(' ');
  return { key, method: method === 'ALL' ? 'POST' : method, path: pathOf(pattern), rule };
});

suite('every route × every caller', () => {
  for (const [name, caller] of Object.entries(callers)) {
    test(name, async (t) => {
      const nexus = await startNexus(t, { operators: { rates: roomyRates } });
      for (const { key, method, path, rule } of routes) {
        const headers = await caller.headers(nexus, method);
        const target = path + (caller.query?.(nexus) ?? '');
        const body = method === 'GET' ? undefined : {};
        const { status, text } = await call(nexus.url, method, target, { headers, body });
        const outcome = status === 401 || status === 403 ? status : 'served';
        assert.equal(outcome, caller.expects(rule, method), `${key}: ${status} ${text}`);
        assert.ok(status < 500 || status === 501, `${key}: ${status} ${text}`);
      }
    });
  }

  test('an old session does nothing that needs a recent one', async (t) => {
    const clock = new FakeClock();
    const nexus = await startNexus(t, { clock, operators: { rates: roomyRates } });
    const browser = await signedIn(nexus);
    clock.advance(15 * 60_000 + 1);
    for (const { key, method, path, rule } of routes.filter(({ rule }) => rule.recent)) {
      const { status, body } = await browser.call(method, path, {});
      assert.equal(status, 403, key);
      assert.match(String(body['error']), /sign in again/);
      assert.ok(rule.operators);
    }
    assert.equal((await browser.call('GET', '/api/operator/me')).status, 200);
  });
});

import type { InferredOptionTypes } from 'yargs';
import type { Access } from '#shared/frames/define';
import { systemClock } from '#shared/sys/clock';
import { silentLog } from '#shared/sys/log';
import { findBroker } from '../operator/broker-access.ts';
import { OperatorError } from '../operator/errors.ts';
import { restTable } from '../operator/people-tables.ts';
import { callBroker } from '../operator/rest-client.ts';
import type { clientFlags } from './flags.ts';

export type OperatorFlags = InferredOptionTypes<typeof clientFlags> & {
  readonly name?: string | undefined;
  readonly role?: Access | undefined;
};
type Facts = Record<string, unknown>;

/** What `nexus operator` can do, by the word for it. */
export const actions: Readonly<Record<string, (argv: OperatorFlags) => Promise<void>>> = {
  login,
  list,
  add,
  role,
  remove,
  sessions,
  'sign-out': signOut,
  reset,
};

async function login(argv: OperatorFlags): Promise<void> {
  const link = await rest(argv, 'POST', '/api/operator/login-links', { operator: argv.name });
  tell(argv, link, `${link['url']}\nlets ${link['operator']} in, once, within ten minutes`);
}

async function list(argv: OperatorFlags): Promise<void> {
  const { operators } = await rest(argv, 'GET', '/api/operators');
  table(argv, operators, { NAME: 'name', ROLE: 'role', SINCE: 'created_at' });
}

async function add(argv: OperatorFlags): Promise<void> {
  const made = await rest(argv, 'POST', '/api/operators', { name: argv.name, role: argv.role });
  const link = await rest(argv, 'POST', '/api/operator/login-links', { operator: argv.name });
  const words = `${made['name']} may sign in as ${made['role']}, once, within ten minutes, with`;
  tell(argv, { ...made, login_url: link['url'] }, `${words}\n${link['url']}`);
}

async function role(argv: OperatorFlags): Promise<void> {
  const changed = await rest(argv, 'PUT', pathOf('/api/operators', argv), { role: argv.role });
  tell(argv, changed, `${changed['name']} is now ${changed['role']}`);
}

async function remove(argv: OperatorFlags): Promise<void> {
  const done = await rest(argv, 'DELETE', pathOf('/api/operators', argv));
  tell(argv, done, `${argv.name} is no operator any more, and signed out everywhere`);
}

async function sessions(argv: OperatorFlags): Promise<void> {
  const { sessions: rows } = await rest(argv, 'GET', '/api/operator/sessions');
  const columns = { ID: 'id', OPERATOR: 'operator', BY: 'method', FROM: 'address' };
  table(argv, rows, { ...columns, 'LAST USED': 'seen_at', UNTIL: 'expires_at', BROWSER: 'agent' });
}

async function signOut(argv: OperatorFlags): Promise<void> {
  const done = await rest(argv, 'DELETE', pathOf('/api/operator/sessions', argv));
  tell(argv, done, 'signed out');
}

/** Also without a running broker: then one runs for a moment, for nobody but us. */
async function reset(argv: OperatorFlags): Promise<void> {
  try {
    await rest(argv, 'POST', '/api/operator/reset');
  } catch (error) {
    const isDown = error instanceof OperatorError && error.code === 'operator.no_broker';
    if (!isDown || argv.url) throw error;
    // Only here: the other actions need no broker of their own.
    const { defaultLimits, startBroker } = await import('../app/broker.ts');
    const broker = await startBroker({
      listen: { host: '127.0.0.1', port: 0 },
      dataDir: argv['data-dir'],
      limits: defaultLimits,
      clock: systemClock,
      openLog: () => silentLog,
    });
    await broker.resetOperators().finally(() => broker.close());
  }
  const words = 'every passkey, session, link and operator token is void; the new token is in';
  tell(argv, { ok: true }, `${words} ${argv['data-dir']}\nsign in with: nexus operator login`);
}

function rest(
  argv: OperatorFlags,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<Facts> {
  return callBroker(findBroker(argv['data-dir'], argv), method, path, body);
}

const pathOf = (path: string, { name = '' }: OperatorFlags): string =>
  `${path}/${encodeURIComponent(name)}`;

function tell({ json }: OperatorFlags, facts: Facts, words: string): void {
  console.log(json ? JSON.stringify(facts) : words);
}

function table({ json }: OperatorFlags, list: unknown, columns: Record<string, string>): void {
  const rows = list as Facts[];
  if (json) for (const row of rows) console.log(JSON.stringify(row));
  else console.log(rows.length > 0 ? restTable(rows, columns) : 'nobody');
}

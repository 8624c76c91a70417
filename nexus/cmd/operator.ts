import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { accessLevels } from '#shared/frames/define';
import { systemClock } from '#shared/sys/clock';
import { silentLog } from '#shared/sys/log';
import { findBroker } from '../operator/broker-access.ts';
import { OperatorError } from '../operator/errors.ts';
import { restTable } from '../operator/people-tables.ts';
import { callBroker } from '../operator/rest-client.ts';
import { clientFlags } from './flags.ts';

const flags = {
  ...clientFlags,
  role: {
    choices: accessLevels,
    describe: 'add, role: look (viewer), talk too (operator), administrate too (admin)',
  },
} as const satisfies Record<string, Options>;

type Flags = InferredOptionTypes<typeof flags> & { action: string; name?: string | undefined };
type Facts = Record<string, unknown>;

const actions: Readonly<Record<string, (argv: Flags) => Promise<void>>> = {
  login,
  list,
  add,
  role,
  remove,
  sessions,
  'sign-out': signOut,
  reset,
};

/** Actions that are about somebody, or something, that must be named. */
const needName = new Set(['add', 'role', 'remove', 'sign-out']);
const needRole = new Set(['add', 'role']);

/** `nexus operator …`: the people who run this Nexus, from the machine that it runs on. */
export const command: CommandModule<object, Flags> = {
  command: 'operator <action> [name]',
  describe: 'let people in at a browser, say what they may do, and shut them out',
  builder: (yargs) =>
    yargs
      .options(flags)
      .positional('action', { choices: Object.keys(actions), demandOption: true, type: 'string' })
      .positional('name', { type: 'string', describe: 'the operator; sign-out: the session' })
      .check((argv) => problemOf(argv as unknown as Flags) ?? true),
  handler: (argv) => actions[argv.action]?.(argv),
};

function problemOf({ action, name, role: asked }: Flags): string | undefined {
  if (needName.has(action) && !name) {
    return action === 'sign-out' ? 'sign-out needs the id of a session' : `${action} needs a NAME`;
  }
  if (needRole.has(action) && !asked) return `${action} needs --role ${accessLevels.join('|')}`;
  return undefined;
}

async function login(argv: Flags): Promise<void> {
  const link = await rest(argv, 'POST', '/api/operator/login-links', { operator: argv.name });
  tell(argv, link, `${link['url']}\nlets ${link['operator']} in, once, within ten minutes`);
}

async function list(argv: Flags): Promise<void> {
  const { operators } = await rest(argv, 'GET', '/api/operators');
  table(argv, operators, { NAME: 'name', ROLE: 'role', SINCE: 'created_at' });
}

async function add(argv: Flags): Promise<void> {
  const made = await rest(argv, 'POST', '/api/operators', { name: argv.name, role: argv.role });
  const link = await rest(argv, 'POST', '/api/operator/login-links', { operator: argv.name });
  const words = `${made['name']} may sign in as ${made['role']}, once, within ten minutes, with`;
  tell(argv, { ...made, login_url: link['url'] }, `${words}\n${link['url']}`);
}

async function role(argv: Flags): Promise<void> {
  const changed = await rest(argv, 'PUT', pathOf('/api/operators', argv), { role: argv.role });
  tell(argv, changed, `${changed['name']} is now ${changed['role']}`);
}

async function remove(argv: Flags): Promise<void> {
  const done = await rest(argv, 'DELETE', pathOf('/api/operators', argv));
  tell(argv, done, `${argv.name} is no operator any more, and signed out everywhere`);
}

async function sessions(argv: Flags): Promise<void> {
  const { sessions: rows } = await rest(argv, 'GET', '/api/operator/sessions');
  const columns = { ID: 'id', OPERATOR: 'operator', BY: 'method', FROM: 'address' };
  table(argv, rows, { ...columns, 'LAST USED': 'seen_at', UNTIL: 'expires_at', BROWSER: 'agent' });
}

async function signOut(argv: Flags): Promise<void> {
  const done = await rest(argv, 'DELETE', pathOf('/api/operator/sessions', argv));
  tell(argv, done, 'signed out');
}

/** Also without a running broker: then one runs for a moment, for nobody but us. */
async function reset(argv: Flags): Promise<void> {
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
  argv: Flags,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<Facts> {
  return callBroker(findBroker(argv['data-dir'], argv), method, path, body);
}

const pathOf = (path: string, { name = '' }: Flags): string =>
  `${path}/${encodeURIComponent(name)}`;

function tell({ json }: Flags, facts: Facts, words: string): void {
  console.log(json ? JSON.stringify(facts) : words);
}

function table({ json }: Flags, list: unknown, columns: Record<string, string>): void {
  const rows = list as Facts[];
  if (json) for (const row of rows) console.log(JSON.stringify(row));
  else console.log(rows.length > 0 ? restTable(rows, columns) : 'nobody');
}

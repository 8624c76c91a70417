import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ClientOptions } from 'ws';
import { type Broker, type BrokerOptions, defaultLimits, startBroker } from '#nexus/app/broker';
import { parseTransport } from '#nexus/app/listener-choice';
import { systemClock } from '#shared/sys/clock';
import { silentLog } from '#shared/sys/log';
import { TestClient } from './test-client.ts';

/** Tests come from one address, many at a time. */
export const roomyLimits = { ...defaultLimits, connections: { total: 256, perAddress: 256 } };

/** What serves sockets in this run: `npm run test:uws` runs some of the tests again. */
export const testTransport = parseTransport(process.env['NEXUS_TEST_TRANSPORT'] ?? 'ws');

export type StartNexusOptions = Partial<BrokerOptions>;

/** A running broker and clients to it. */
export interface TestNexus {
  readonly broker: Broker;
  readonly url: string;
  readonly dataDir: string;
  operatorToken(): string;
  /** A fresh token; the one before is void. */
  token(name: string): Promise<string>;
  connect(token: string, options?: ClientOptions): Promise<TestClient>;
  operator(): Promise<TestClient>;
  /** Connected as `name`, and registered unless `register` is false. */
  aspect(name: string, options?: { register?: boolean; with?: object }): Promise<TestClient>;
  close(): Promise<void>;
}

/** A folder that goes when the test ends. */
export function temporaryFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a real broker on a free port. All of it ends with the test. */
export async function startNexus(
  t: Pick<TestContext, 'after'>,
  options: StartNexusOptions = {},
): Promise<TestNexus> {
  const dataDir = options.dataDir ?? temporaryFolder(t);
  const clients: TestClient[] = [];
  const broker = await startBroker({
    listen: { host: '127.0.0.1', port: 0 },
    limits: roomyLimits,
    clock: systemClock,
    openLog: () => silentLog,
    transport: testTransport,
    ...options,
    dataDir,
  });
  const close = async () => {
    for (const client of clients.splice(0)) client.drop();
    await broker.close();
  };
  t.after(close);

  const operatorToken = () => readFileSync(join(dataDir, 'operator.token'), 'utf8').trim();
  const tokens = new Map<string, string>();
  const token = async (name: string) => {
    const issued = await broker.issueToken(name);
    tokens.set(name, issued);
    return issued;
  };
  const connect = async (secret: string, more?: ClientOptions) => {
    const client = await TestClient.open(broker.url, secret, more);
    clients.push(client);
    return client;
  };
  return {
    broker,
    url: broker.url,
    dataDir,
    operatorToken,
    token,
    connect,
    operator: () => connect(operatorToken()),
    async aspect(name, { register = true, with: more = {} } = {}) {
      // A new token would end the connections that came in with the one before.
      const client = await connect(tokens.get(name) ?? (await token(name)));
      if (!register) return client;
      const answer = await client.register(name, more);
      if (answer.kind !== 'register.ack') throw new Error(JSON.stringify(answer));
      return client;
    },
    close,
  };
}

import { readFileSync } from 'node:fs';
import { getRequestListener } from '@hono/node-server';
import { messageOf, systemCodeOf } from '#shared/errors';
import { catalogue } from '#shared/frames/catalogue';
import { FrameCodec } from '#shared/frames/codec';
import type { PayloadOf } from '#shared/frames/define';
import { encodeFrame } from '#shared/frames/envelope';
import { Shutdown } from '#shared/frames/lifecycle';
import type { Clock } from '#shared/sys/clock';
import { Closers } from '#shared/sys/closers';
import type { Log } from '#shared/sys/log';
import { OutboundFrame } from '#shared/transport/frame-batch';
import type { Transport } from '#shared/transport/transport';
import { AspectStore, aspectMigration } from '../aspects/aspect-store.ts';
import { noPersonalities } from '../aspects/personality-source.ts';
import { Hub, type Route } from '../broker/hub.ts';
import { Router } from '../broker/router.ts';
import { ChatService } from '../chat/chat-service.ts';
import { ChatStore, chatMigration } from '../chat/chat-store.ts';
import { chatHandlers } from '../chat/handlers.ts';
import { replay } from '../chat/replay.ts';
import { sessionHandlers } from '../credentials/handlers.ts';
import { aspectIdentity } from '../credentials/identity.ts';
import { ensureInstanceIdentity, identityMigration } from '../credentials/instance-identity.ts';
import { ensureOperatorToken, operatorTokenFile } from '../credentials/operator-token.ts';
import { TokenStore, tokenGrantsMigration, tokenMigration } from '../credentials/token-store.ts';
import { Gateway, type GatewayLimits } from '../gateway/gateway.ts';
import { buildHttpApp } from '../http/app.ts';
import { aspectAdminRoutes } from '../http/aspect-admin.ts';
import { type ValidateRates, validateRates, validateRoutes } from '../http/aspect-validate.ts';
import { aspectRoutes } from '../http/aspects.ts';
import { authRoutes } from '../http/auth.ts';
import { connectRoute } from '../http/connect.ts';
import { healthRoutes } from '../http/health.ts';
import { tokenRoutes } from '../http/tokens.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { rosterHandlers } from '../roster/handlers.ts';
import { RosterService } from '../roster/roster-service.ts';
import { DataDir } from '../storage/data-dir.ts';
import { openDatabase } from '../storage/database.ts';
import { endpointFile, removeEndpoint, writeEndpoint } from '../storage/endpoint-file.ts';
import { accessControl } from './access-control.ts';
import { StartRefused } from './errors.ts';
import { assertSafeToListen, type ListenAddress } from './listen-address.ts';

/** The schema, in order. Append only. */
export const migrations = [
  identityMigration,
  journalMigration,
  tokenMigration,
  chatMigration,
  tokenGrantsMigration,
  aspectMigration,
];

export const defaultLimits: GatewayLimits = {
  connections: { total: 256, perAddress: 32 },
  outbox: { maxFrames: 16_384, maxBytes: 8 * 1024 * 1024 },
  keepAlive: { pingEveryMs: 30_000, pongWithinMs: 10_000 },
};

export const rosterTimes = {
  staleAfterMs: 30_000,
  forgetAfterMs: 600_000,
  sweepEveryMs: 10_000,
  probeWithinMs: 3_000,
};

const stopping: PayloadOf<typeof Shutdown> = {
  reason: 'the broker is stopping',
  grace_period_s: 0,
};

export interface BrokerOptions {
  readonly listen: ListenAddress;
  readonly dataDir: string;
  /** The coordinator's name, if the team has one. */
  readonly frameName?: string | undefined;
  readonly limits: GatewayLimits;
  /** How often keyfiles may be shown. */
  readonly validateRates?: ValidateRates;
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly clock: Clock;
  /** Called once the data directory is ours. */
  openLog(dataDir: DataDir): Log;
}

/** A running broker. */
export interface Broker {
  /** Base address, such as `http://127.0.0.1:7888`. */
  readonly url: string;
  readonly nexusId: string;
  /** True when this start made the instance: its identity was created. */
  readonly isNew: boolean;
  readonly dataDir: DataDir;
  readonly log: Log;
  readonly roster: RosterService;
  /** A fresh token for an aspect; the one before is void. */
  issueToken(name: string): Promise<string>;
  /** Whether a name was ever given a token. */
  knows(name: string): boolean;
  /** Whether an aspect is kept out, until it is resurrected. */
  isRetired(name: string): boolean;
  /** Attaches an aspect that runs in this process. */
  attach(name: string, transport: Transport): void;
  /** Stops in reverse order of starting. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Opens the data directory, builds every part, and listens. Throws `StartRefused` or
 * `StorageError` with nothing left open when it cannot.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const closers = new Closers();
  try {
    return await build(options, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function build(options: BrokerOptions, closers: Closers): Promise<Broker> {
  const { listen, frameName, limits, clock } = options;
  const tls = options.tls && readTls(options.tls);
  assertSafeToListen(listen, tls !== undefined);

  const dataDir = DataDir.open(options.dataDir);
  closers.add(() => dataDir.close());
  const log = options.openLog(dataDir);
  const database = openDatabase(dataDir.file('nexus.db'), migrations);
  closers.add(() => database.close());
  const instance = ensureInstanceIdentity(database, clock.now());
  const { nexusId, serverKeys, isNew } = instance;

  const tokens = new TokenStore(database);
  const chatStore = new ChatStore(database);
  const aspects = new AspectStore(database);
  const projections = [tokens, chatStore, aspects];
  const journal = new SqliteJournal({ database, projections, clock });
  closers.add(() => journal.close());
  const hub = new Hub();
  const access = accessControl({ instance, tokens, aspects, journal, hub, clock, log });
  const { registry, standing, sessions, resolver, live } = access;
  await ensureOperatorToken(dataDir.file(operatorTokenFile), tokens, journal);

  const isRetired = (name: string) => registry.isRetired(name);
  const times = rosterTimes;
  const roster = new RosterService({ journal, hub, clock, log, times, frameName, isRetired });
  closers.add(() => roster.close());
  registry.onChange(() => roster.dropRetired());
  const isCurrent = (route: Route) => hub.isCurrent(route);
  const findName = (name: string) => tokens.findName(name) ?? registry.find(name)?.name;
  const chat = new ChatService({ journal, store: chatStore, hub, frameName, findName });

  const router = new Router({
    codec: new FrameCodec(catalogue),
    handlers: [
      ...chatHandlers(chat, chatStore, hub),
      ...rosterHandlers(
        { roster, hub, nexusId, newestId: () => chatStore.newestId() },
        (route, sinceId) => {
          // A reader without a cursor starts where its own life began.
          const bornAt = tokens.bornAt(route.name) ?? registry.find(route.name)?.bornAt;
          const from = sinceId || (bornAt ?? chatStore.newestId());
          replay(route, from, { store: chatStore, audience: chat.audience, isCurrent });
        },
      ),
      ...sessionHandlers(resolver, live),
    ],
    log,
  });
  const authenticate = (token: string) => resolver.resolve(token);
  const personalities = noPersonalities;
  const rates = options.validateRates ?? validateRates;
  const http = buildHttpApp({
    authenticate,
    bounded: [
      validateRoutes({ registry, serverKeys, nexusId, sessions, personalities, rates, log }),
    ],
    open: [
      healthRoutes,
      authRoutes({ resolve: (token) => resolver.resolve(token), bypass: false }),
    ],
    guarded: [
      connectRoute,
      aspectRoutes(roster),
      tokenRoutes(tokens, journal, standing),
      aspectAdminRoutes({ registry, serverKeys, nexusId }),
    ],
    log,
  });
  const gateway = new Gateway({
    hub,
    router,
    http: getRequestListener(http.fetch),
    authenticate,
    onConnection: (connection) => live.watch(connection),
    limits,
    clock,
    log,
    farewell: new OutboundFrame(encodeFrame(Shutdown.kind, stopping)),
    tls,
  });
  const port = await bind(gateway, listen);
  closers.add(() => gateway.close());

  const url = `${tls ? 'https' : 'http'}://${listen.host}:${port}`;
  const endpoint = dataDir.file(endpointFile);
  writeEndpoint(endpoint, { url, pid: process.pid });
  closers.add(() => removeEndpoint(endpoint));
  log.info({ url, nexusId, dataDir: dataDir.path }, 'listening');

  return {
    url,
    nexusId,
    isNew,
    dataDir,
    log,
    roster,
    issueToken: (name) => tokens.issue(journal, findName(name) ?? name, 'nexus'),
    knows: (name) => tokens.findName(name) !== undefined,
    isRetired,
    attach: (name, transport) => void gateway.attach(transport, aspectIdentity(name)),
    close: () => closers.closeAll(),
  };
}

async function bind(gateway: Gateway, { host, port }: ListenAddress): Promise<number> {
  try {
    return await gateway.listen(host, port);
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (code === 'EADDRINUSE') {
      throw new StartRefused(
        'start.port_in_use',
        `port ${port} on ${host} is in use; stop what has it, or pass --addr ${host}:0 for a free one`,
        { cause },
      );
    }
    const reason = code ?? messageOf(cause);
    throw new StartRefused('start.address', `cannot listen on ${host}:${port}: ${reason}`, {
      cause,
    });
  }
}

function readTls(paths: { cert: string; key: string }): { cert: string; key: string } {
  try {
    return { cert: readFileSync(paths.cert, 'utf8'), key: readFileSync(paths.key, 'utf8') };
  } catch (cause) {
    throw new StartRefused(
      'start.tls_files',
      `cannot read the TLS files (${messageOf(cause)}); check --tls-cert and --tls-key`,
      { cause },
    );
  }
}

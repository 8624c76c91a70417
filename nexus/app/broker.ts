import { readFileSync } from 'node:fs';
import { messageOf, systemCodeOf } from '#shared/errors';
import { catalogue } from '#shared/frames/catalogue';
import { FrameCodec } from '#shared/frames/codec';
import type { Clock } from '#shared/sys/clock';
import { Closers } from '#shared/sys/closers';
import type { Log } from '#shared/sys/log';
import type { Transport } from '#shared/transport/transport';
import { Hub, type Route } from '../broker/hub.ts';
import { Router } from '../broker/router.ts';
import { ChatService } from '../chat/chat-service.ts';
import { ChatStore, chatMigration } from '../chat/chat-store.ts';
import { chatHandlers } from '../chat/handlers.ts';
import { replay } from '../chat/replay.ts';
import { aspectIdentity } from '../credentials/identity.ts';
import { ensureInstanceIdentity, identityMigration } from '../credentials/instance-identity.ts';
import { ensureOperatorToken, operatorTokenFile } from '../credentials/operator-token.ts';
import { TokenStore, tokenMigration } from '../credentials/token-store.ts';
import { Gateway, type GatewayDeps, type GatewayLimits } from '../gateway/gateway.ts';
import type { TlsFiles } from '../gateway/listener.ts';
import { buildHttpApp } from '../http/app.ts';
import { aspectRoutes } from '../http/aspects.ts';
import { healthRoutes } from '../http/health.ts';
import { tokenRoutes } from '../http/tokens.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { rosterHandlers } from '../roster/handlers.ts';
import { RosterService } from '../roster/roster-service.ts';
import { DataDir } from '../storage/data-dir.ts';
import { openDatabase } from '../storage/database.ts';
import { endpointFile, removeEndpoint, writeEndpoint } from '../storage/endpoint-file.ts';
import { StartRefused } from './errors.ts';
import { assertSafeToListen, type ListenAddress } from './listen-address.ts';
import { chooseListener, type TransportChoice } from './listener-choice.ts';

/** The schema, in order. Append only. */
export const migrations = [identityMigration, journalMigration, tokenMigration, chatMigration];

export const defaultLimits: GatewayLimits = {
  connections: { total: 256, perAddress: 32 },
  outbox: { maxFrames: 16_384, maxBytes: 8 * 1024 * 1024 },
  keepAlive: { pingEveryMs: 30_000, pongWithinMs: 10_000 },
};

export const rosterTimes = {
  staleAfterMs: 30_000,
  forgetAfterMs: 600_000,
  sweepEveryMs: 10_000,
};

export interface BrokerOptions {
  readonly listen: ListenAddress;
  readonly dataDir: string;
  /** The coordinator's name, if the team has one. */
  readonly frameName?: string | undefined;
  readonly limits: GatewayLimits;
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** What accepts sockets; `ws` unless it says otherwise. */
  readonly transport?: TransportChoice | undefined;
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
  const listener = await chooseListener(options.transport ?? 'ws');

  const dataDir = DataDir.open(options.dataDir);
  closers.add(() => dataDir.close());
  const log = options.openLog(dataDir);
  const database = openDatabase(dataDir.file('nexus.db'), migrations);
  closers.add(() => database.close());
  const { nexusId, isNew } = ensureInstanceIdentity(database, clock.now());

  const tokens = new TokenStore(database);
  const chatStore = new ChatStore(database);
  const journal = new SqliteJournal({ database, projections: [tokens, chatStore], clock });
  closers.add(() => journal.close());
  await ensureOperatorToken(dataDir.file(operatorTokenFile), tokens, journal);

  const hub = new Hub();
  const roster = new RosterService({ journal, hub, clock, log, times: rosterTimes, frameName });
  closers.add(() => roster.close());
  const isCurrent = (route: Route) => hub.isCurrent(route);
  const findName = (name: string) => tokens.findName(name);
  const chat = new ChatService({ journal, store: chatStore, hub, frameName, findName });

  const router = new Router({
    codec: new FrameCodec(catalogue),
    handlers: [
      ...chatHandlers(chat, chatStore, hub),
      ...rosterHandlers(
        { roster, hub, nexusId, newestId: () => chatStore.newestId() },
        (route, sinceId) => {
          // A reader without a cursor starts where its own life began.
          const from = sinceId || (tokens.bornAt(route.name) ?? chatStore.newestId());
          replay(route, from, { store: chatStore, audience: chat.audience, isCurrent });
        },
      ),
    ],
    log,
  });
  const authenticate = (token: string) => tokens.resolve(token);
  const http = buildHttpApp({
    authenticate,
    open: [healthRoutes],
    guarded: [aspectRoutes(roster), tokenRoutes(tokens, journal)],
    log,
  });
  const gateway = openGateway({
    hub,
    router,
    http: (request, from) => http.fetch(request, from),
    authenticate,
    openListener: listener.open,
    limits,
    clock,
    log,
    tls,
  });
  const port = await bind(gateway, listen);
  closers.add(() => gateway.close());

  const url = `${tls ? 'https' : 'http'}://${listen.host}:${port}`;
  const endpoint = dataDir.file(endpointFile);
  writeEndpoint(endpoint, { url, pid: process.pid });
  closers.add(() => removeEndpoint(endpoint));
  log.info({ url, nexusId, dataDir: dataDir.path, transport: listener.name }, 'listening');

  return {
    url,
    nexusId,
    isNew,
    dataDir,
    log,
    roster,
    issueToken: (name) => tokens.issue(journal, tokens.findName(name) ?? name, 'nexus'),
    knows: (name) => tokens.findName(name) !== undefined,
    attach: (name, transport) => void gateway.attach(transport, aspectIdentity(name)),
    close: () => closers.closeAll(),
  };
}

function openGateway(deps: GatewayDeps): Gateway {
  try {
    return new Gateway(deps);
  } catch (cause) {
    if (!deps.tls) throw cause;
    throw new StartRefused(
      'start.tls_files',
      `cannot use the TLS files (${messageOf(cause)}); check that the key is the certificate's`,
      { cause },
    );
  }
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

function readTls({ cert, key }: { cert: string; key: string }): TlsFiles {
  try {
    return {
      certFile: cert,
      keyFile: key,
      cert: readFileSync(cert, 'utf8'),
      key: readFileSync(key, 'utf8'),
    };
  } catch (cause) {
    throw new StartRefused(
      'start.tls_files',
      `cannot read the TLS files (${messageOf(cause)}); check --tls-cert and --tls-key`,
      { cause },
    );
  }
}

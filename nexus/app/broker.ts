import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameKey } from '#shared/config/names';
import { messageOf, NexusError, systemCodeOf } from '#shared/errors';
import { catalogue } from '#shared/frames/catalogue';
import { FrameCodec } from '#shared/frames/codec';
import type { PayloadOf } from '#shared/frames/define';
import { encodeFrame } from '#shared/frames/envelope';
import { Shutdown } from '#shared/frames/lifecycle';
import type { Clock } from '#shared/sys/clock';
import { Closers } from '#shared/sys/closers';
import { newUlid } from '#shared/sys/ids';
import { KnownSecrets } from '#shared/sys/known-secrets';
import type { Log } from '#shared/sys/log';
import { isLoopback } from '#shared/sys/loopback';
import type { Redact } from '#shared/sys/pino-log';
import { OutboundFrame } from '#shared/transport/frame-batch';
import { pinOf } from '#shared/transport/pinned-tls';
import type { Transport } from '#shared/transport/transport';
import { AspectStore, aspectMigration } from '../aspects/aspect-store.ts';
import { HeadSigner, headsMigration } from '../audit/head-signer.ts';
import { Hub, type Route } from '../broker/hub.ts';
import { Router } from '../broker/router.ts';
import { ChatService } from '../chat/chat-service.ts';
import { announcedFileMigration, ChatStore, chatMigration } from '../chat/chat-store.ts';
import { chatHandlers } from '../chat/handlers.ts';
import { replay } from '../chat/replay.ts';
import { credentialHandlers } from '../credentials/handlers.ts';
import { aspectIdentity, operatorName } from '../credentials/identity.ts';
import { ensureInstanceIdentity, identityMigration } from '../credentials/instance-identity.ts';
import {
  ensureOperatorToken,
  operatorTokenFile,
  renewOperatorToken,
} from '../credentials/operator-token.ts';
import { sessionTokenHandlers } from '../credentials/session-handlers.ts';
import { TokenStore, tokenGrantsMigration, tokenMigration } from '../credentials/token-store.ts';
import { dispatchHandlers } from '../dispatch/handlers.ts';
import { BlobRoot } from '../files/blob-root.ts';
import { defaultFileLimits, type FileLimits, FileService } from '../files/file-service.ts';
import { FileStore, fileMigration } from '../files/file-store.ts';
import { fileHandlers } from '../files/handlers.ts';
import { Gateway, type GatewayDeps, type GatewayLimits } from '../gateway/gateway.ts';
import type { TlsFiles } from '../gateway/listener.ts';
import { buildHttpApp, routesOf } from '../http/app.ts';
import { aspectAdminRoutes } from '../http/aspect-admin.ts';
import { aspectCredentialRoutes } from '../http/aspect-credentials.ts';
import { type ValidateRates, validateRates, validateRoutes } from '../http/aspect-validate.ts';
import { aspectRoutes } from '../http/aspects.ts';
import { authRoutes } from '../http/auth.ts';
import { credentialRoutes } from '../http/credentials.ts';
import { fileRoutes } from '../http/files.ts';
import { healthRoutes } from '../http/health.ts';
import { type DispatchStatus, operationRoutes } from '../http/operations.ts';
import { personalityRoutes } from '../http/personalities.ts';
import { switchSurfaceRoute } from '../http/switch-surface.ts';
import { tokenRoutes } from '../http/tokens.ts';
import { JournalError } from '../journal/errors.ts';
import { journalMigration, SqliteJournal } from '../journal/sqlite-journal.ts';
import { knowledgeHandlers } from '../knowledge/handlers.ts';
import { KnowledgeService } from '../knowledge/knowledge-service.ts';
import { KnowledgeStore, knowledgeMigration } from '../knowledge/knowledge-store.ts';
import { observeHandlers } from '../observe/handlers.ts';
import { ObserveHub } from '../observe/observe-hub.ts';
import {
  ActivityFolder,
  type ActivityLimits,
  defaultActivityLimits,
} from '../observe/sink/activity-folder.ts';
import { JsonlSink } from '../observe/sink/jsonl-sink.ts';
import { Operations } from '../operations/operations.ts';
import type { LoginLink } from '../operators/accounts.ts';
import { OperatorStore, operatorMigration } from '../operators/operator-store.ts';
import { personalityHandlers } from '../personalities/handlers.ts';
import { PersonalityService } from '../personalities/personality-service.ts';
import { PersonalityStore, personalityMigration } from '../personalities/personality-store.ts';
import { pushRefreshes } from '../personalities/refreshes.ts';
import { rosterHandlers } from '../roster/handlers.ts';
import { RosterService } from '../roster/roster-service.ts';
import { switchSurfaceHandler } from '../roster/switch-surface.ts';
import { sessionHandlers } from '../sessions/handlers.ts';
import { SessionMirror, type SessionRetention } from '../sessions/session-mirror.ts';
import { SessionStore, sessionMigration } from '../sessions/session-store.ts';
import { statusHandlers } from '../status/handlers.ts';
import { StatusPulses } from '../status/status-pulses.ts';
import { DataDir } from '../storage/data-dir.ts';
import { openDatabase } from '../storage/database.ts';
import { isStorageFailure, storageFailure } from '../storage/disk-failure.ts';
import { endpointFile, removeEndpoint, writeEndpoint } from '../storage/endpoint-file.ts';
import { certificateFiles } from '../tls/certificate-files.ts';
import { turnHandlers } from '../turns/handlers.ts';
import { TurnService } from '../turns/turn-service.ts';
import { vaultKeyFile } from '../vault/keys/key-file.ts';
import { openVault } from '../vault/open-vault.ts';
import { ProfileStore } from '../vault/profiles/profile-store.ts';
import { VaultStore } from '../vault/vault-store.ts';
import { vaultMigration } from '../vault/vault-tables.ts';
import { accessControl } from './access-control.ts';
import { aspectBundles } from './aspect-bundles.ts';
import { StartRefused } from './errors.ts';
import { assertSafeToListen, type ListenAddress } from './listen-address.ts';
import { chooseListener, type TransportChoice } from './listener-choice.ts';
import { type OperatorOptions, operatorAccess } from './operator-access.ts';

/** The schema, in order. Append only. */
export const migrations = [
  identityMigration,
  journalMigration,
  tokenMigration,
  chatMigration,
  tokenGrantsMigration,
  headsMigration,
  sessionMigration,
  knowledgeMigration,
  announcedFileMigration,
  fileMigration,
  aspectMigration,
  vaultMigration,
  personalityMigration,
  operatorMigration,
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

/** From the answer to `shutdown` to the stop, so that the answer arrives. */
const shutdownDelayMs = 100;

const stopping: PayloadOf<typeof Shutdown> = {
  reason: 'the broker is stopping',
  grace_period_s: 0,
};

/** Until this broker runs Hands; the reference's soft cap (hands spec §4.1). */
const noHands: DispatchStatus = {
  active_workers: 0,
  soft_cap: 3,
  hard_ceiling: 4,
  queue_depth: 0,
  busy_aspects: [],
};

export const sessionRetention: SessionRetention = {
  keepMs: 30 * 24 * 3_600_000,
  sweepEveryMs: 600_000,
  maxRows: 500,
};

export interface BrokerOptions {
  readonly listen: ListenAddress;
  readonly dataDir: string;
  /** The coordinator's name, if the team has one. */
  readonly frameName?: string | undefined;
  readonly limits: GatewayLimits;
  readonly fileLimits?: FileLimits | undefined;
  /** How often keyfiles may be shown. */
  readonly validateRates?: ValidateRates;
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Files of what was observed, in `activity` of the data directory. */
  readonly activity?: Partial<ActivityLimits> | undefined;
  /** What accepts sockets; `ws` unless it says otherwise. */
  readonly transport?: TransportChoice | undefined;
  /** Keys of the vault, instead of the file in the data directory. */
  readonly vaultKeys?: string | undefined;
  readonly operators?: OperatorOptions | undefined;
  readonly clock: Clock;
  /** Called once the data directory is ours. `redact` cuts known secrets out of a line. */
  openLog(dataDir: DataDir, redact: Redact): Log;
}

/** A running broker. */
export interface Broker {
  /** Base address, such as `http://127.0.0.1:7888`. */
  readonly url: string;
  /** Pin of its certificate, if it has one: `sha256:` and 64 hex digits. */
  readonly pin: string | undefined;
  readonly nexusId: string;
  /** True when this start made the instance: its identity was created. */
  readonly isNew: boolean;
  readonly dataDir: DataDir;
  readonly log: Log;
  readonly roster: RosterService;
  readonly turns: TurnService;
  /** A fresh token for an aspect; the one before is void. */
  issueToken(name: string): Promise<string>;
  /** What an aspect in this process needs of the vault to think: variables of its provider. */
  providerEnvironment(name: string): Promise<Readonly<Record<string, string>>>;
  /** Whether a name was ever given a token. */
  knows(name: string): boolean;
  /** Whether an aspect is kept out, until it is resurrected. */
  isRetired(name: string): boolean;
  /** Every route of its REST side, such as `GET /health`. */
  readonly routes: readonly string[];
  /** A link by which the first operator signs in, once. */
  loginLink(): Promise<LoginLink>;
  /** Shuts every operator out; who can read the data directory comes back in. */
  resetOperators(): Promise<void>;
  /** Attaches an aspect that runs in this process. */
  attach(name: string, transport: Transport): void;
  /** Resolves when an admin asks the broker to stop; whoever started it then closes it. */
  readonly shutdownAsked: Promise<void>;
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
    // Others have said what to do already.
    const isUntold = !(error instanceof NexusError) || error instanceof JournalError;
    throw isUntold && isStorageFailure(error) ? storageFailure(error, options.dataDir) : error;
  }
}

async function build(options: BrokerOptions, closers: Closers): Promise<Broker> {
  const { listen, frameName, limits, clock } = options;
  const files = options.tls ?? ownCertificate(options);
  const tls = files && readTls(files);
  assertSafeToListen(listen, tls !== undefined);
  const listener = await chooseListener(options.transport ?? 'ws');

  const dataDir = DataDir.open(options.dataDir);
  closers.add(() => dataDir.close());
  const secrets = new KnownSecrets();
  const log = options.openLog(dataDir, (line) => secrets.redact(line));
  const database = openDatabase(dataDir.file('nexus.db'), migrations);
  closers.add(() => database.close());
  const instance = ensureInstanceIdentity(database, clock.now());
  const { nexusId, isNew } = instance;

  const tokens = new TokenStore(database);
  const chatStore = new ChatStore(database);
  const sessionStore = new SessionStore(database);
  const knowledgeStore = new KnowledgeStore(database);
  const fileStore = new FileStore(database);
  const aspects = new AspectStore(database);
  const credentialStore = new VaultStore(database);
  const profileStore = new ProfileStore(database);
  const personalityStore = new PersonalityStore(database);
  const operatorStore = new OperatorStore(database);
  const projections = [
    tokens,
    chatStore,
    sessionStore,
    knowledgeStore,
    fileStore,
    aspects,
    credentialStore,
    profileStore,
    personalityStore,
    operatorStore,
  ];
  const journal = new SqliteJournal({ database, projections, clock });
  const signer = new HeadSigner({ database, journal, instance, clock, log });
  closers.add(() => signer.close());
  closers.add(() => journal.close());
  const hub = new Hub();
  const access = accessControl({ instance, tokens, aspects, journal, hub, clock, log });
  const { registry, standing, sessions, resolver, live } = access;
  const tokenFile = dataDir.file(operatorTokenFile);
  await ensureOperatorToken(tokenFile, tokens, journal);
  const operators = operatorAccess({
    instance,
    store: operatorStore,
    journal,
    hub,
    host: listen.host,
    cert: tls?.cert,
    options: options.operators ?? {},
    resolveToken: (token) => resolver.resolve(token),
    renewToken: (actor) => renewOperatorToken(tokenFile, tokens, journal, actor),
    clock,
    log,
  });
  const { authenticate } = operators;
  const vault = await openVault({
    journal,
    store: credentialStore,
    profileStore,
    keyFile: dataDir.file(vaultKeyFile),
    givenKeys: options.vaultKeys,
    sessionSecret: instance.sessionSecret,
    secrets,
    log,
  });

  const isRetired = (name: string) => registry.isRetired(name);
  const times = rosterTimes;
  const roster = new RosterService({ journal, hub, clock, log, times, frameName, isRetired });
  closers.add(() => roster.close());
  registry.onChange(() => roster.dropRetired());
  const isCurrent = (route: Route) => hub.isCurrent(route);
  const findName = (name: string) => tokens.findName(name) ?? registry.find(name)?.name;
  const isFrame = (name: string) => nameKey(name) === nameKey(frameName ?? '');
  const chat = new ChatService({ journal, store: chatStore, hub, frameName, findName });
  const knowledge = new KnowledgeService({
    journal,
    store: knowledgeStore,
    log,
    frameName,
    findName,
  });

  const sink = openSink(dataDir, { ...defaultActivityLimits, ...options.activity }, clock, log);
  closers.add(() => sink?.close());
  const observe = new ObserveHub({
    epoch: newUlid(),
    clock,
    log,
    sink,
    known: (name) => findName(name) ?? hub.find(name)?.name,
  });
  closers.add(() => observe.close());
  chat.onPosted((message, recipients) => observe.chat(message, recipients));
  roster.onPresence((name, connected, reason) => observe.presence(name, connected, reason));
  const retention = sessionRetention;
  const mirror = new SessionMirror({ journal, store: sessionStore, clock, log, retention });
  closers.add(() => mirror.close());
  const codec = new FrameCodec(catalogue);
  const turns = new TurnService({ hub, clock, newId: newUlid, codec, findName });
  const fileLimits = options.fileLimits ?? defaultFileLimits;
  const fileService = new FileService({
    journal,
    store: fileStore,
    hub,
    blobs: BlobRoot.open(dataDir.file('files')),
    limits: fileLimits,
    announce: (sender, content, file) => chat.announce(sender, content, file),
    findName,
  });
  closers.add(() => fileService.close());
  // Behind an Outpost there are aspects that never had a token of their own.
  const findConnected = (name: string) => findName(name) ?? aspectAt(hub.find(name));
  const aboutPersonalities = { journal, store: personalityStore, findName: findConnected };
  const personalities = new PersonalityService(aboutPersonalities);
  pushRefreshes({ ...aboutPersonalities, hub });

  const router = new Router({
    codec,
    handlers: [
      ...chatHandlers(chat, chatStore, hub),
      ...observeHandlers({ observe, log }),
      ...knowledgeHandlers(knowledge),
      ...fileHandlers(fileService, fileStore, fileLimits.inlineBytes),
      ...rosterHandlers(
        { roster, hub, nexusId, newestId: () => chatStore.newestId() },
        (route, sinceId) => {
          // A reader without a cursor starts where its own life began.
          const bornAt = tokens.bornAt(route.name) ?? registry.find(route.name)?.bornAt;
          const from = sinceId || (bornAt ?? chatStore.newestId());
          replay(route, from, { store: chatStore, audience: chat.audience, isCurrent });
        },
      ),
      switchSurfaceHandler(roster),
      ...sessionHandlers({ mirror, store: sessionStore, findName }),
      ...statusHandlers(new StatusPulses({ hub, clock }), hub),
      ...turnHandlers(turns, journal),
      ...dispatchHandlers(),
      ...credentialHandlers(vault.access),
      ...sessionTokenHandlers({ resolveToken: authenticate }, live),
      ...personalityHandlers(personalities),
    ],
    log,
  });
  const shutdownAsked = Promise.withResolvers<void>();
  const rates = options.validateRates ?? validateRates;
  const http = buildHttpApp({
    identify: (facts) => operators.identity.resolve(facts),
    bounded: [
      validateRoutes({
        registry,
        serverKeys: instance,
        nexusId,
        sessions,
        personalities: aspectBundles({ personalities: personalityStore, profiles: vault.profiles }),
        rates,
        log,
      }),
    ],
    open: [
      healthRoutes,
      authRoutes({ resolve: (token) => (token ? authenticate(token) : undefined), bypass: false }),
      ...operators.open,
    ],
    guarded: [
      ...operators.guarded,
      aspectRoutes(roster),
      tokenRoutes(tokens, journal, standing),
      fileRoutes(fileService),
      aspectAdminRoutes({ registry, serverKeys: instance, nexusId }),
      credentialRoutes(vault.vault, credentialStore),
      aspectCredentialRoutes({
        defaults: vault.defaults,
        profiles: vault.profiles,
        // The coordinator runs in this process and has no token.
        findName: (name) => findName(name) ?? (isFrame(name) ? frameName : undefined),
      }),
      personalityRoutes(personalities),
      switchSurfaceRoute({ roster, hub, findName: findConnected }),
      operationRoutes({
        operations: new Operations({ clock, newId: newUlid }),
        journal,
        roster,
        dispatchStatus: () => noHands,
        stop: () => void clock.after(shutdownDelayMs, shutdownAsked.resolve),
      }),
    ],
    clock,
    log,
  });
  const gateway = openGateway({
    hub,
    router,
    http: (request, from) => http.fetch(request, from),
    authenticate,
    openListener: listener.open,
    onConnection: (connection) => live.watch(connection),
    limits,
    clock,
    log,
    farewell: () => new OutboundFrame(encodeFrame(Shutdown.kind, stopping)),
    tls,
  });
  const port = await bind(gateway, listen);
  closers.add(() => gateway.close());
  operators.site.boundTo(port);

  const url = `${tls ? 'https' : 'http'}://${listen.host}:${port}`;
  const endpoint = dataDir.file(endpointFile);
  const pin = tls && pinOf(new X509Certificate(tls.cert));
  writeEndpoint(endpoint, { url, pid: process.pid, pin });
  closers.add(() => removeEndpoint(endpoint));
  log.info({ url, nexusId, dataDir: dataDir.path, transport: listener.name }, 'listening');

  return {
    url,
    pin,
    nexusId,
    isNew,
    dataDir,
    log,
    roster,
    turns,
    issueToken: (name) => tokens.issue(journal, findName(name) ?? name, 'nexus'),
    providerEnvironment: (name) => vault.environment.of(name),
    knows: (name) => tokens.findName(name) !== undefined,
    isRetired,
    routes: routesOf(http),
    loginLink: () => operators.accounts.makeLink(operatorName, 'nexus'),
    resetOperators: () => operators.accounts.reset('nexus'),
    attach: (name, transport) => void gateway.attach(transport, aspectIdentity(name)),
    shutdownAsked: shutdownAsked.promise,
    close: () => closers.closeAll(),
  };
}

function openSink(dataDir: DataDir, limits: ActivityLimits, clock: Clock, log: Log) {
  if (limits.retainDays <= 0) return undefined;
  const folder = new ActivityFolder(dataDir.file('activity'), limits);
  return new JsonlSink({ folder, clock, log });
}
/** The aspect that a route leads to; the operator is none. */
const aspectAt = (route: Route | undefined): string | undefined =>
  route && nameKey(route.name) !== operatorName ? route.name : undefined;

/** Beyond this machine the one that `nexus cert init` made serves, when no other is given. */
function ownCertificate({ listen, dataDir }: BrokerOptions): BrokerOptions['tls'] {
  const files = certificateFiles(join(dataDir, 'tls'));
  return !isLoopback(listen.host) && existsSync(files.cert) ? files : undefined;
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

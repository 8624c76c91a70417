import { parseArgs } from 'node:util';
import { AspectHomeError, loadAspectHome } from '#shared/config/aspect-json';
import { KeyfileError } from '#shared/crypto/errors';
import { readKeyfile } from '#shared/crypto/keyfile';
import { messageOf } from '#shared/errors';
import { systemClock } from '#shared/sys/clock';
import { newUlid } from '#shared/sys/ids';
import { openStderrLog } from '#shared/sys/pino-log';
import type { Transport } from '#shared/transport/transport';
import { dial } from '#shared/transport/ws-dial';
import { ProviderError } from '../providers/provider.ts';
import { AspectRuntime } from './aspect-runtime.ts';
import { chooseProvider } from './choose-provider.ts';
import { KeyfileAccess } from './keyfile-access.ts';
import type { RenewableSession } from './session-keeper.ts';

/** Exit codes (runtime spec §2.2). A supervisor does not restart after 2. */
const exitCode = { clean: 0, failed: 1, badConfiguration: 2 } as const;

type Env = Readonly<Record<string, string | undefined>>;

interface Settings {
  readonly home: string;
  readonly access: AccessSettings;
  readonly provider: string | undefined;
  readonly team: string;
}

/** How to come in: with a token, or with a keyfile, which also says where. */
type AccessSettings =
  | { readonly url: string; readonly token: string; readonly pin: string | undefined }
  | {
      readonly keyfile: string;
      readonly url: string | undefined;
      readonly pin: string | undefined;
    };

/**
 * Runs one aspect until it is told to stop. Standard error carries its log; the last line of a
 * failure is for people. Returns the exit code.
 */
export async function runAspect(args: readonly string[], env: Env): Promise<number> {
  // Neither our timers nor the supervisor's channel hold a process open. Between two attempts to
  // reach the broker nothing else would.
  const held = setInterval(() => undefined, 2 ** 30);
  try {
    const settings = readSettings(args, env);
    const home = loadAspectHome(settings.home);
    const log = openStderrLog(env['NEXUS_LOG_LEVEL'] ?? 'info');
    for (const warning of home.warnings) log.warn(warning);
    const wish = { provider: settings.provider, env, clock: systemClock };
    const { provider, model, reason } = await chooseProvider(home, wish);
    log.info({ provider: provider.name, reason }, 'provider chosen');
    const runtime = await AspectRuntime.open({
      home,
      provider,
      model,
      ...wayIn(settings.access, home.config.name),
      team: settings.team,
      clock: systemClock,
      newId: newUlid,
      log,
    });
    onceToldToStop((why) => void runtime.stop(why));
    await runtime.run();
    return exitCode.clean;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return codeFor(error);
  } finally {
    clearInterval(held);
  }
}

class BadSettings extends Error {}

function readSettings(args: readonly string[], env: Env): Settings {
  const { values } = parse(args);
  if (!values.home) throw new BadSettings('--home names the folder with aspect.json');
  const access = accessSettings(values, env);
  return { home: values.home, access, provider: values.provider, team: env['NEXUS_TEAM'] ?? '' };
}

function accessSettings(values: ReturnType<typeof parse>['values'], env: Env): AccessSettings {
  const keyfile = values.keyfile ?? env['NEXUS_KEYFILE'];
  const pin = values.pin ?? (env['NEXUS_PIN'] || undefined);
  // Only what the command line says leads a keyfile elsewhere than its own envelope.
  if (keyfile) {
    if (values.url !== undefined && !URL.canParse(values.url)) {
      throw new BadSettings(`--url ${values.url}: write an address like wss://hub.example:7888`);
    }
    return { keyfile, url: values.url, pin };
  }
  const tokenEnv = values['token-env'];
  const token = env[tokenEnv];
  const url = values.url ?? env['NEXUS_OUTPOST'] ?? env['NEXUS_UPSTREAM'] ?? env['NEXUS_URL'];
  if (!url) throw new BadSettings('set NEXUS_URL to the broker’s address, or pass --url');
  if (!token) {
    throw new BadSettings(
      `pass --keyfile, or set ${tokenEnv} to this aspect’s token (nexus token NAME)`,
    );
  }
  return { url, token, pin };
}

interface WayIn {
  dial(signal: AbortSignal): Promise<Transport>;
  readonly session?: RenewableSession;
}

function wayIn(settings: AccessSettings, aspect: string): WayIn {
  const { pin } = settings;
  if ('token' in settings) {
    return { dial: (signal) => dial(settings.url, settings.token, { signal, pin }) };
  }
  const keyfile = readKeyfile(settings.keyfile);
  const access = new KeyfileAccess({ keyfile, aspect, url: settings.url, pin, clock: systemClock });
  return { dial: (signal) => access.dial(signal), session: access };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        home: { type: 'string' },
        keyfile: { type: 'string', short: 'k' },
        url: { type: 'string' },
        pin: { type: 'string' },
        provider: { type: 'string' },
        'token-env': { type: 'string', default: 'NEXUS_TOKEN' },
      },
    });
  } catch (cause) {
    throw new BadSettings(messageOf(cause), { cause });
  }
}

function codeFor(error: unknown): number {
  const misconfigured =
    error instanceof BadSettings ||
    error instanceof AspectHomeError ||
    error instanceof KeyfileError ||
    (error instanceof ProviderError && !error.retryable);
  return misconfigured ? exitCode.badConfiguration : exitCode.failed;
}

/** Signals, and the end of the supervisor: an aspect does not outlive the broker that runs it. */
function onceToldToStop(stop: (why: string) => void): void {
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('SIGINT', () => stop('SIGINT'));
  process.once('disconnect', () => stop('the supervisor ended'));
  // Listening to the channel would keep us running after our work is done.
  process.channel?.unref();
  // It ended while we were starting, before anybody listened.
  if (process.connected === false) stop('the supervisor ended');
}

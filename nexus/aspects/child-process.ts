import { basename } from 'node:path';
import type { AspectHome } from '#shared/config/aspect-json';
import type { ProcessSpec } from './supervisor.ts';

/** What an aspect's process may see of our environment: enough to run and to reach its model. */
const inherited = [
  'PATH',
  'HOME',
  'USERPROFILE',
  'SYSTEMROOT',
  'TEMP',
  'TMPDIR',
  'LANG',
  'TZ',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_BASE_URL',
  'OLLAMA_HOST',
  'OLLAMA_URL',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'NODE_EXTRA_CA_CERTS',
] as const;

export interface ChildSettings {
  /** The runtime's program. */
  readonly program: string;
  readonly brokerUrl: string;
  /** Its certificate, where it is one that the system does not know. */
  readonly brokerPin?: string | undefined;
  readonly token: string;
  /** Everyone with their part. */
  readonly team: string;
  readonly provider?: string | undefined;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How to run one aspect. The token travels in the environment, never on the command line. */
export function aspectProcess(home: AspectHome, settings: ChildSettings): ProcessSpec {
  const { program, brokerUrl, brokerPin, token, team, provider, logFile, env } = settings;
  const kept = inherited.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    name: home.config.name,
    command: process.execPath,
    // The same flags as ours: running from source needs the import condition.
    args: [
      ...process.execArgv,
      program,
      '--home',
      home.path,
      ...(provider ? ['--provider', provider] : []),
    ],
    cwd: home.path,
    env: {
      ...Object.fromEntries(kept),
      NEXUS_UPSTREAM: brokerUrl,
      ...(brokerPin && { NEXUS_PIN: brokerPin }),
      NEXUS_TOKEN: token,
      NEXUS_TEAM: team,
    },
    logFile,
  };
}

/** Everyone with their part, as the prompts say it: `keel (coordinator), wren (reviewer)`. */
export function describeTeam(homes: readonly AspectHome[]): string {
  return homes
    .map(({ config, path }) => `${config.name} (${config.title ?? basename(path)})`)
    .join(', ');
}

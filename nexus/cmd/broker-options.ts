import { join } from 'node:path';
import type { InferredOptionTypes } from 'yargs';
import { systemClock } from '#shared/sys/clock';
import { openLogFile } from '#shared/sys/pino-log';
import { type BrokerOptions, defaultLimits } from '../app/broker.ts';
import { StartRefused } from '../app/errors.ts';
import { parseListenAddress } from '../app/listen-address.ts';
import { parseTransport } from '../app/listener-choice.ts';
import { vaultKeyVariable } from '../vault/keys/key-ring.ts';
import type { serverFlags } from './flags.ts';

export type ServerFlags = InferredOptionTypes<typeof serverFlags>;

/** What the flags ask for. Throws `StartRefused` when they contradict each other. */
export function brokerOptions(flags: ServerFlags, frameName?: string): BrokerOptions {
  const cert = flags['tls-cert'];
  const key = flags['tls-key'];
  if (Boolean(cert) !== Boolean(key)) {
    throw new StartRefused('start.tls_files', '--tls-cert and --tls-key go together');
  }
  return {
    listen: parseListenAddress(flags.addr),
    dataDir: flags['data-dir'],
    frameName,
    limits: {
      ...defaultLimits,
      connections: {
        total: flags['max-connections'],
        perAddress: flags['max-connections-per-address'],
      },
    },
    ...(cert && key && { tls: { cert, key } }),
    activity: { retainDays: flags['activity-days'] },
    transport: parseTransport(flags.transport),
    vaultKeys: process.env[vaultKeyVariable],
    operators: {
      rpId: process.env['NEXUS_OPERATOR_RPID'] || undefined,
      origins: process.env['NEXUS_OPERATOR_ORIGINS']?.split(',').filter(Boolean),
    },
    clock: systemClock,
    openLog: (dataDir, redact) =>
      openLogFile(flags['log-level'], dataDir.file(join('logs', 'broker.log')), redact),
  };
}

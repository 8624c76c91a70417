import { isLoopback } from '#shared/sys/loopback';
import { StartRefused } from './errors.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Parses `host:port`, `:port` (all interfaces) or `[v6]:port`. Throws `StartRefused`. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?<host>\[[0-9a-fA-F:.]+\]|[^:]*):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  if (!match?.groups || port > 65535) {
    throw new StartRefused('start.address', `--addr ${text}: write host:port, like 127.0.0.1:7888`);
  }
  return { host: match.groups['host'] || '0.0.0.0', port };
}

/** Plain HTTP stays on this machine (architecture §7). Throws `StartRefused`. */
export function assertSafeToListen({ host }: ListenAddress, hasTls: boolean): void {
  if (hasTls || isLoopback(host)) return;
  throw new StartRefused(
    'start.no_tls',
    `refusing to serve plain HTTP on ${host}: make a certificate with nexus cert init, ` +
      'pass --tls-cert and --tls-key, or listen on 127.0.0.1',
  );
}

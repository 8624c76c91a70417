import { dirname } from 'node:path';
import { destination, pino } from 'pino';
import { makeFolder } from '#shared/sys/folders';
import type { Log } from '#shared/sys/log';

/** Members that may hold a secret, wherever a caller puts them. */
const secrets = ['token', 'authorization', 'key', 'password', 'api_key', 'headers'];

/** JSON lines in a file, which is created with its folder (mode 0600). Secrets are cut out. */
export function openLog(level: string, path: string): Log {
  makeFolder(dirname(path));
  const target = destination({ dest: path, mode: 0o600, sync: true });
  const paths = secrets.flatMap((name) => [name, `*.${name}`]);
  return pino({ level, base: null, redact: { paths, censor: '[secret]' } }, target);
}

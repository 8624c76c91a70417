import { dirname } from 'node:path';
import { type DestinationStream, destination, pino } from 'pino';
import { makeFolder } from './folders.ts';
import type { Log } from './log.ts';
import { LogFile } from './log-file.ts';

/** Members that may hold a secret, wherever a caller puts them. */
const secrets = ['token', 'authorization', 'key', 'password', 'api_key', 'headers'];

/** JSON lines in a file, which is created with its folder (mode 0600). Secrets are cut out. */
export function openLogFile(level: string, path: string): Log {
  makeFolder(dirname(path));
  return openLog(level, new LogFile(path));
}

/** JSON lines on standard error. */
export const openStderrLog = (level: string): Log =>
  openLog(level, destination({ dest: 2, sync: true }));

function openLog(level: string, target: DestinationStream): Log {
  const paths = secrets.flatMap((name) => [name, `*.${name}`]);
  return pino({ level, base: null, redact: { paths, censor: '[secret]' } }, target);
}

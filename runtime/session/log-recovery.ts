import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from '#shared/errors';
import { syncFolder } from '#shared/sys/folders';
import type { LogFile } from './log-file.ts';

/** One readable line: what it says, and at which byte it starts. */
export interface LogLineAt<T> {
  readonly value: T;
  readonly start: number;
}

/** What was wrong with a log when it was opened. All zero and absent: nothing. */
export interface RecoveryReport {
  /** Complete lines that do not read. Left in the file, skipped. */
  badLines: number;
  /** Bytes cut from the end. Never acknowledged to anybody. */
  tornBytes: number;
  /** Where those bytes were saved. */
  tornPath?: string;
}

export interface RecoveredLog<T> {
  readonly lines: LogLineAt<T>[];
  /** Length of the file after repair. It ends in a newline or is empty. */
  readonly length: number;
  readonly report: RecoveryReport;
}

const newline = 0x0a;

/**
 * Reads a whole log and repairs its end (runtime spec §10.2): a last line that only lacks its
 * newline gets it; an end that does not read is saved beside the log and cut off. `parse` gets a
 * line without its newline and answers undefined when it does not read.
 */
export async function recoverLog<T>(
  file: LogFile,
  path: string,
  parse: (line: Buffer) => T | undefined,
  nowMs: number,
): Promise<RecoveredLog<T>> {
  const bytes = await file.read();
  const lines: LogLineAt<T>[] = [];
  const report: RecoveryReport = { badLines: 0, tornBytes: 0 };
  let start = 0;
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
    const value = parse(bytes.subarray(start, end));
    if (value === undefined) report.badLines++;
    else lines.push({ value, start });
    start = end + 1;
  }

  const tail = bytes.subarray(start);
  if (tail.length === 0) return { lines, length: start, report };
  const value = parse(tail);
  if (value !== undefined) {
    await file.write(Buffer.from('\n'), bytes.length);
    lines.push({ value, start });
    return { lines, length: bytes.length + 1, report };
  }
  report.tornBytes = tail.length;
  report.tornPath = await saveTorn(path, tail, nowMs);
  await file.truncate(start);
  return { lines, length: start, report };
}

/** Saves what is about to be cut, under a name that is still free. */
async function saveTorn(logPath: string, tail: Buffer, nowMs: number): Promise<string> {
  const stamp = new Date(nowMs).toISOString().replace(/[-:.]/g, '');
  for (let attempt = 0; ; attempt++) {
    const path = `${logPath.replace(/\.jsonl$/, '')}.torn-${stamp}${attempt ? `-${attempt}` : ''}`;
    try {
      const handle = await open(path, 'wx', 0o600);
      try {
        await handle.writeFile(tail);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await syncFolder(dirname(path));
      return path;
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST') throw error;
    }
  }
}

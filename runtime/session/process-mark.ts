import { readFile } from 'node:fs/promises';
import { systemCodeOf } from '#shared/errors';

/** Names one process for good: a pid alone is given out again. */
export interface ProcessMark {
  readonly pid: number;
  /** Boot id and start tick on Linux; absent where the system does not tell. */
  readonly startedAt?: string;
}

/** The mark of a process that runs now. */
export async function processMark(pid: number): Promise<ProcessMark> {
  const { startedAt } = await look(pid);
  return startedAt === undefined ? { pid } : { pid, startedAt };
}

/** Whether the process that made this mark still runs. Where starts are unknown, the pid decides. */
export async function isSameProcess(mark: ProcessMark): Promise<boolean> {
  const { alive, startedAt } = await look(mark.pid);
  if (!alive || startedAt === undefined || mark.startedAt === undefined) return alive;
  return startedAt === mark.startedAt;
}

async function look(pid: number): Promise<{ alive: boolean; startedAt?: string }> {
  if (process.platform !== 'linux') return { alive: isAlive(pid) };
  try {
    const [stat, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // The name in brackets may hold anything, brackets too; fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has closed its files; it only waits for its parent to notice.
    const alive = fields[0] !== 'Z' && fields[0] !== 'X';
    return { alive, startedAt: `${bootId.trim()}:${fields[19]}` };
  } catch {
    // No such process, or a /proc that hides it: signal 0 tells which.
    return { alive: isAlive(pid) };
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not allowed to signal it: it exists and is somebody else's.
    return systemCodeOf(error) === 'EPERM';
  }
}

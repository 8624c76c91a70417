import { readFileSync } from 'node:fs';

/** Besides its sockets a process has files, pipes and the event loop's own. */
const spare = 100;

/**
 * Throws, with what to do, unless so many sockets can be open at once, here and in the servers,
 * which inherit the limit.
 */
export function assertManySockets(sockets: number): void {
  const needed = sockets + spare;
  const allowed = openFilesLimit(readFileSync('/proc/self/limits', 'latin1'));
  if (allowed >= needed) return;
  throw new Error(
    `${sockets} connections need ${needed} open files and this process may have ${allowed}; ` +
      `raise the limit with: ulimit -n ${needed}`,
  );
}

/** The soft limit in the text of `/proc/<pid>/limits`. */
export function openFilesLimit(limits: string): number {
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

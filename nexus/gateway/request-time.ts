import type { IncomingMessage } from 'node:http';
import type { Clock } from '#shared/sys/clock';
import { targetOf } from './access.ts';

/** How long a request may take to arrive. */
const requestTimeoutMs = 15_000;

/** The same for an upload: the largest file in this time is 1.8 Mbit/s. */
export const uploadTimeoutMs = 300_000;

const upload = /^\/api\/files\/\d{1,15}\/content$/;

/** Whether a request carries a file: its body may be long, is read as it comes, and takes time. */
export const isUpload = (method: string | undefined, path: string): boolean =>
  method === 'PUT' && upload.test(path);

/** Breaks off a request that is slow to arrive. Node knows only one time for all of a server. */
export function endIfSlow(request: IncomingMessage, clock: Clock): void {
  if (isUpload(request.method, targetOf({ target: request.url ?? '/' }).pathname)) return;
  const cancel = clock.after(requestTimeoutMs, () => {
    if (!request.complete) request.destroy();
  });
  request.once('close', cancel);
}

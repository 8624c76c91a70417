import type { WebSocket } from 'ws';
import type { Clock } from '#shared/sys/clock';

export interface KeepAliveTimes {
  readonly pingEveryMs: number;
  readonly pongWithinMs: number;
}

/** Pings a socket for as long as it lives and closes it with 1001 when a pong stays out (§1.6). */
export function keepAlive(ws: WebSocket, clock: Clock, times: KeepAliveTimes): void {
  let cancel = clock.after(times.pingEveryMs, ping);

  function ping(): void {
    ws.ping();
    cancel = clock.after(times.pongWithinMs, () => {
      ws.close(1001, 'no pong');
      ws.terminate();
    });
  }

  ws.on('pong', () => {
    cancel();
    cancel = clock.after(times.pingEveryMs, ping);
  });
  ws.once('close', () => cancel());
}

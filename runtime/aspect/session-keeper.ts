import { messageOf } from '#shared/errors';
import { SessionRefresh } from '#shared/frames/session-refresh';
import { backoffMs } from '#shared/sys/backoff';
import { type Clock, sleep } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import { LinkError, RequestRefused } from '#shared/transport/errors';
import type { FrameClient } from '#shared/transport/frame-client';
import { AspectError } from './errors.ts';

/** After so much of a token's life a newer one is fetched, give or take a twentieth. */
const refreshAfter = 0.8;
const jitter = 0.1;

const retry = { firstMs: 1_000, maxMs: 60_000 };

/** A way in whose token ends. */
export interface RenewableSession {
  /** When the token that was given last ends, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** A newer token. Rejects with `AspectError` when there will be none, else with `LinkError`. */
  renew(signal: AbortSignal): Promise<string>;
}

export interface SessionKeeperDeps {
  readonly session: RenewableSession;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1), so that many aspects do not refresh in step. */
  readonly random: () => number;
}

/** Keeps links open beyond the token that they were made with. */
export class SessionKeeper {
  readonly #deps: SessionKeeperDeps;

  constructor(deps: SessionKeeperDeps) {
    this.#deps = deps;
  }

  /** Presents newer tokens over a link until it ends. Never rejects. */
  async keep(client: FrameClient): Promise<void> {
    const { session, clock, log, random } = this.#deps;
    const ended = new AbortController();
    const { signal } = ended;
    void client.closed.then(() => ended.abort());
    for (let attempt = 0; !signal.aborted; ) {
      const leftMs = Math.max(0, session.expiresAt - clock.now());
      const waitMs =
        attempt === 0
          ? leftMs * (refreshAfter + (random() - 0.5) * jitter)
          : backoffMs(attempt, retry, random());
      try {
        await sleep(clock, Math.max(waitMs, retry.firstMs), signal);
        await client.request(SessionRefresh, { token: await session.renew(signal) });
        attempt = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isFinal(error)) {
          log.warn(`this link ends with its token: ${messageOf(error)}`);
          return;
        }
        attempt += 1;
        log.warn({ err: error }, `token not refreshed: ${messageOf(error)}`);
      }
    }
  }
}

/** Brokers of the reference do not know the frame, and say nothing to it. */
function isFinal(error: unknown): boolean {
  if (error instanceof AspectError || error instanceof RequestRefused) return true;
  return error instanceof LinkError && error.code === 'link.timeout';
}

/** Where time comes from. Injected, so that a whole hub can run in a test from one seed. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. May step backwards. */
  now(): number;
  /** Monotonic time in milliseconds from an arbitrary origin. Never steps backwards. */
  monotonic(): number;
  /** Runs `action` once after `ms`. The returned function cancels it and may be called twice. */
  after(ms: number, action: () => void): () => void;
}

/** The real clock. Its timers do not keep the process alive on their own. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

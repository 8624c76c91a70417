import { sleep, systemClock } from '#shared/sys/clock';

/** Longest wait for anything that should happen. */
const patienceMs = 60_000;
const pollEveryMs = 20;

/** Polls until `condition` holds. Throws after a minute, with what was waited for. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
): Promise<void> {
  const deadline = systemClock.monotonic() + patienceMs;
  // A timer that holds the process open: a poll may be all that runs.
  const held = setInterval(() => undefined, patienceMs);
  try {
    while (!(await condition())) {
      if (systemClock.monotonic() > deadline) {
        throw new Error(`waited in vain for: ${typeof what === 'string' ? what : what()}`);
      }
      await sleep(systemClock, pollEveryMs);
    }
  } finally {
    clearInterval(held);
  }
}

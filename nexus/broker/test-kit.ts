import type { FrameSink } from './connection.ts';

/** A sink for connections of which a test wants no socket. */
export const nowhere: FrameSink = {
  queuedBytes: 0,
  push: () => undefined,
  close: () => undefined,
  probe: () => Promise.resolve(),
  terminate: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

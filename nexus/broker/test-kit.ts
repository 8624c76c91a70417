import type { Identity } from '../credentials/identity.ts';
import { Connection, type FrameSink } from './connection.ts';

/** A sink for connections of which a test wants no socket. */
export const nowhere: FrameSink = {
  queuedBytes: 0,
  push: () => undefined,
  close: () => undefined,
  probe: () => Promise.resolve(),
  terminate: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
  onceDrained: (action) => action(),
};

/** A connection that hears nothing, over which these names are registered. */
export function deafConnection(identity: Identity, ...names: string[]): Connection {
  const connection = new Connection(1, identity, nowhere);
  for (const name of names) connection.names.set(name.toLowerCase(), name);
  return connection;
}

import { Connection } from '#nexus/broker/connection';
import type { Identity } from '#nexus/credentials/identity';

/** A connection that hears nothing, over which these names are registered. */
export function deafConnection(identity: Identity, ...names: string[]): Connection {
  const connection = new Connection(1, identity, {
    queuedBytes: 0,
    push: () => undefined,
    close: () => undefined,
    probe: () => Promise.resolve(),
    terminate: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
  });
  for (const name of names) connection.names.set(name, name);
  return connection;
}

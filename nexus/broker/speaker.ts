import { nameKey, nameProblem } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import { isAdmin, isOperator, operatorName } from '../credentials/identity.ts';
import type { Connection } from './connection.ts';

/**
 * Whom a frame speaks for: its connection's identity, whatever it claims (G1, G2).
 *
 * Behind an Outpost it is the claimed name, which must be registered through it; a sole one need
 * not be claimed. An admin's connection may speak for any aspect, but never for the operator.
 * Throws `FrameRefused` for any other claim.
 */
export function speakerOf(connection: Connection, claimed?: string): string {
  const { identity, names } = connection;
  if (connection.outpostId !== undefined) return speakerBehind(connection, claimed);
  if (!claimed) return isOperator(identity) ? operatorName : (firstOf(names) ?? identity.name);
  if (nameKey(claimed) === nameKey(identity.name)) return identity.name;
  const mayLend = isAdmin(identity) && !isOperator(identity) && nameKey(claimed) !== operatorName;
  // Names only: what an event says of its actor must stay one line (hash-chain.ts).
  const problem = mayLend ? nameProblem(claimed) : undefined;
  if (problem) throw new FrameRefused('bad_request', problem);
  if (mayLend) return claimed;
  throw new FrameRefused(
    'forbidden',
    `this connection speaks as ${identity.name}, not as ${claimed}`,
  );
}

/** As `speakerOf`, for what only a registered aspect or the operator may do. */
export function registeredSpeakerOf(connection: Connection, claimed?: string): string {
  if (!isOperator(connection.identity) && connection.names.size === 0) {
    throw new FrameRefused('not_registered', 'register first');
  }
  return speakerOf(connection, claimed);
}

function speakerBehind({ names }: Connection, claimed: string | undefined): string {
  if (claimed) {
    const name = names.get(nameKey(claimed));
    if (name) return name;
    throw new FrameRefused('forbidden', `${claimed} is not registered through this Outpost`);
  }
  const sole = names.size === 1 ? firstOf(names) : undefined;
  if (sole) return sole;
  throw new FrameRefused('bad_request', 'say which aspect behind this Outpost speaks');
}

const firstOf = (names: ReadonlyMap<string, string>): string | undefined =>
  names.values().next().value;

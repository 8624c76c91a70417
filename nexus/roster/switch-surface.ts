import { SwitchSurface } from '#shared/frames/surface';
import type { Connection } from '../broker/connection.ts';
import { type Handler, writes } from '../broker/handler.ts';
import { registeredSpeakerOf } from '../broker/speaker.ts';
import type { RosterService } from './roster-service.ts';

/** `switch.surface`: recorded and answered, then the aspect's socket is closed. */
export function switchSurfaceHandler(roster: RosterService): Handler {
  return writes(SwitchSurface, async ({ primary_surface, aspect: claimed }, connection) => {
    const aspect = registeredSpeakerOf(connection, claimed);
    const previous = await roster.switchSurface(aspect, primary_surface);
    surfaceSwitched(connection);
    return { aspect, primary_surface, ...(previous && { previous_surface: previous }) };
  });
}

/** Ends an aspect's link after this answer; it starts again as the other program. */
export function surfaceSwitched(connection: Connection): void {
  // An Outpost's socket carries others: its aspect leaves by itself.
  if (connection.outpostId === undefined) setImmediate(goodbye, connection);
}

const goodbye = (connection: Connection): void => connection.close(1000, 'surface switched');

import { FrameRefused } from '#shared/frames/errors';
import { PersonalityGet, PersonalitySet } from '#shared/frames/personality';
import type { Connection } from '../broker/connection.ts';
import { type Handler, reads, writes } from '../broker/handler.ts';
import { speakerOf } from '../broker/speaker.ts';
import { isOperator } from '../credentials/identity.ts';
import type { PersonalityService } from './personality-service.ts';
import { documentsIn, toWireWithTime } from './view.ts';

/** The personality frames. Registration is not needed. */
export function personalityHandlers(personalities: PersonalityService): Handler[] {
  return [
    reads(PersonalityGet, ({ aspect: asked, version }, connection) => {
      const aspect = personalities.knownName(whose(connection, asked));
      const personality = personalities.personality(aspect, version);
      return toWireWithTime(aspect, personality, personalities.central());
    }),

    writes(PersonalitySet, async ({ aspect: asked, if_version, ...documents }, connection) => {
      const aspect = personalities.knownName(whose(connection, asked));
      const actor = connection.outpostId === undefined ? connection.identity.name : aspect;
      const change = documentsIn(documents);
      const changed = await personalities.change(actor, aspect, change, if_version);
      return { aspect, old_version: changed.oldVersion, new_version: changed.newVersion };
    }),
  ];
}

/** The operator has no personality and names an aspect; anyone else speaks for one. */
function whose(connection: Connection, asked: string | undefined): string {
  if (!isOperator(connection.identity)) return speakerOf(connection, asked);
  if (asked) return asked;
  throw new FrameRefused('bad_request', 'say whose personality: aspect');
}

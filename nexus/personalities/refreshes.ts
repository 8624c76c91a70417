import { PersonalityRefresh } from '#shared/frames/personality';
import { type Hub, pushTo, type Route } from '../broker/hub.ts';
import type { Journal, JournalEvent } from '../journal/journal.ts';
import { centralChanged, type PersonalityChanged, personalityChanged } from './events.ts';
import type { PersonalityStore } from './personality-store.ts';
import { toWire } from './view.ts';

export interface RefreshDeps {
  readonly journal: Journal;
  readonly store: PersonalityStore;
  readonly hub: Hub;
  /** A known aspect's name as its owner spells it. */
  findName(name: string): string | undefined;
}

/**
 * Sends connected aspects what they are to be from now on: each its own, and all of them when the
 * central document changes. Once for all that one commit changed.
 */
export function pushRefreshes({ journal, store, hub, findName }: RefreshDeps): void {
  const routesFor = (events: readonly JournalEvent[]): Iterable<Route> => {
    if (events.some(({ kind }) => kind === centralChanged)) return hub.routes();
    const changed = new Set(events.filter(isChange).map(({ body }) => body.aspect));
    return [...changed].flatMap((aspect) => hub.find(aspect) ?? []);
  };
  journal.onCommit((events) => {
    for (const route of routesFor(events)) {
      const aspect = findName(route.name);
      // The operator's page registers too, and is nobody's personality.
      if (aspect === undefined) continue;
      const refresh = toWire(aspect, store.personality(aspect), store.central());
      pushTo(route, PersonalityRefresh, refresh);
    }
  });
}

const isChange = (event: JournalEvent): event is JournalEvent & PersonalityChanged =>
  event.kind === personalityChanged;

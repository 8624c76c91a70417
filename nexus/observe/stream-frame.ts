import type { ObservedChat, ObservedPresence } from '#shared/frames/observe';
import type { TurnSnapshot } from '#shared/frames/observed-turn';

/** One emission of an aspect's stream. A turn's payload changes while the turn is in flight. */
export type StreamFrame = {
  readonly aspect: string;
  /** Position in the stream. */
  readonly seq: number;
  /** RFC 3339. */
  readonly ts: string;
  /** An upper bound of the payload's bytes as JSON. */
  readonly bytes: number;
} & Observed;

/** What can be observed of an aspect. */
export type Observed =
  | { readonly kind: 'turn'; readonly payload: TurnSnapshot }
  | { readonly kind: 'chat'; readonly payload: ObservedChat }
  | { readonly kind: 'presence'; readonly payload: ObservedPresence };

export const isOpenTurn = ({ kind, payload }: StreamFrame): boolean =>
  kind === 'turn' && payload.status === 'in_flight';

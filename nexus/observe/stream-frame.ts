import { type ObservedChat, ObservedKind, type ObservedPresence } from '#shared/frames/observe';
import type { TurnSnapshot } from '#shared/frames/observed-turn';

/** What can be observed of an aspect. A turn's payload changes while the turn is in flight. */
export type Observed =
  | { readonly kind: typeof ObservedKind.turn; readonly payload: TurnSnapshot }
  | { readonly kind: typeof ObservedKind.chat; readonly payload: ObservedChat }
  | { readonly kind: typeof ObservedKind.presence; readonly payload: ObservedPresence };

/** One emission of an aspect's stream. */
export interface StreamFrame {
  readonly aspect: string;
  /** Position in the stream. */
  readonly seq: number;
  /** RFC 3339. */
  readonly ts: string;
  /** An upper bound of the payload's bytes as JSON. */
  readonly bytes: number;
  /** What it shows; several streams may share it. */
  readonly observed: Observed;
}

export const isOpenTurn = ({ observed: { kind, payload } }: StreamFrame): boolean =>
  kind === ObservedKind.turn && payload.status === 'in_flight';

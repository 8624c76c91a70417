import type { Static, TSchema } from 'typebox';
import type { ErrorPayload } from './errors.ts';

/** Who may send a frame. A connection holds one or more of these (wire spec §1.4). */
export type Role = 'aspect' | 'admin' | 'operator' | 'outpost' | 'broker';

/** What an operator may do, in rising order: look; talk too; administrate too. */
export const accessLevels = ['viewer', 'operator', 'admin'] as const;
export type Access = (typeof accessLevels)[number];

/** One kind of frame: everything that types, validation, routing, docs and tests need. */
export interface FrameDefinition {
  readonly kind: string;
  /** Roles that may send it. `broker` marks what only the broker sends. */
  readonly from: readonly Role[];
  /** The definition of its answer, or `none`. Failures answer with `<kind>.error`. */
  readonly reply: FrameDefinition | 'none';
  /** True when only a request that carries an `id` is answered. */
  readonly replyNeedsId?: boolean;
  /** What an operator needs to send it, where `accessNeeded` does not say so by its effect. */
  readonly access?: Access;
  /** Its error frame, where that has a shape of its own. */
  readonly error?: FrameDefinition;
  /** `reads` marks what changes nothing that others see: all that a read-only token may send. */
  readonly effect?: 'reads';
  readonly payload: TSchema;
}

/** Declares a frame kind. Purely typing: the object comes back unchanged. */
export function defineFrame<const D extends FrameDefinition>(definition: D): D {
  return definition;
}

/** What an operator needs to send a frame: whoever may look may send what only reads. */
export const accessNeeded = ({ access, effect }: FrameDefinition): Access =>
  access ?? (effect === 'reads' ? 'viewer' : 'operator');

/** The payload type of a definition. */
export type PayloadOf<D extends FrameDefinition> = Static<D['payload']>;

/** The payload type of a definition's answer; `undefined` when it has none. */
export type ReplyOf<D extends FrameDefinition> = D['reply'] extends FrameDefinition
  ? PayloadOf<D['reply']>
  : undefined;

/** The payload type of a definition's error frame. */
export type ErrorOf<D extends FrameDefinition> = D['error'] extends FrameDefinition
  ? PayloadOf<D['error']>
  : ErrorPayload;

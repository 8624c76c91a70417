import type { FrameDefinition, PayloadOf, ReplyOf } from '#shared/frames/define';
import type { Connection } from './connection.ts';

/** What the broker does with one kind of frame. */
export interface Handler {
  readonly definition: FrameDefinition;
  /** `reads` waits until this connection's own writes are durable, so it sees their effects. */
  readonly order: 'writes' | 'reads';
  run(payload: unknown, connection: Connection): unknown;
}

type Run<D extends FrameDefinition> = (
  payload: PayloadOf<D>,
  connection: Connection,
) => ReplyOf<D> | Promise<ReplyOf<D>>;

/**
 * A handler that records something. It is started at once, in arrival order, and its answer is
 * sent when its promise settles; it must call `journal.append` before it first awaits.
 */
export function writes<D extends FrameDefinition>(definition: D, run: Run<D>): Handler {
  return { definition, order: 'writes', run: run as Handler['run'] };
}

/** A handler that answers from what is recorded. Later frames wait for it. */
export function reads<D extends FrameDefinition>(definition: D, run: Run<D>): Handler {
  return { definition, order: 'reads', run: run as Handler['run'] };
}

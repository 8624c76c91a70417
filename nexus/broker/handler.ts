import type { ErrorOf, FrameDefinition, PayloadOf, ReplyOf } from '#shared/frames/define';
import type { Connection } from './connection.ts';

/** What the broker does with one kind of frame. */
export interface Handler {
  readonly definition: FrameDefinition;
  /**
   * `reads` waits until this connection's own writes are durable, so it sees their effects; later
   * frames wait for it. Nothing waits for what runs `aside`.
   */
  readonly order: 'writes' | 'reads' | 'aside';
  run(payload: unknown, connection: Connection): unknown;
  /** The payload of its error frame, where that has a shape of its own. */
  refusal?(reason: RefusalReason, request: unknown): unknown;
}

/** Why a frame is refused, as far as that may cross the wire: often the `Refusal` itself. */
export interface RefusalReason {
  readonly code: string;
  readonly message: string;
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

/**
 * A handler that may take minutes. It is started in arrival order and answers whenever it is done;
 * nothing waits for it. `refusal` shapes its error frame from the unchecked payload of the request.
 */
export function aside<D extends FrameDefinition>(
  definition: D,
  run: Run<D>,
  refusal?: (reason: RefusalReason, request: unknown) => ErrorOf<D>,
): Handler {
  return { definition, order: 'aside', run: run as Handler['run'], ...(refusal && { refusal }) };
}

import { encodeFrame } from '#shared/frames/envelope';
import { ObservedKind, ObserveFrame } from '#shared/frames/observe';
import type { TurnDelta } from '#shared/frames/observed-turn';
import { OutboundFrame } from '#shared/transport/frame-batch';
import type { StreamFrame } from './stream-frame.ts';

type Encoded<Of> = { readonly of: Of; readonly frame: OutboundFrame } | undefined;

/** Encodes frames of streams. The last one is kept, so that it is encoded once for all observers. */
export class FrameEncoder {
  readonly #epoch: string;
  #lastWhole: Encoded<StreamFrame>;
  #lastDelta: Encoded<TurnDelta>;

  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  /** With its payload as it is now: the whole turn, for a turn. */
  whole(frame: StreamFrame): OutboundFrame {
    if (this.#lastWhole?.of !== frame) {
      const { kind, payload } = frame.observed;
      this.#lastWhole = { of: frame, frame: this.#encode(frame, kind, payload) };
    }
    return this.#lastWhole.frame;
  }

  /** With what changed in the turn. */
  delta(frame: StreamFrame, delta: TurnDelta): OutboundFrame {
    if (this.#lastDelta?.of !== delta) {
      this.#lastDelta = { of: delta, frame: this.#encode(frame, ObservedKind.turnDelta, delta) };
    }
    return this.#lastDelta.frame;
  }

  #encode({ aspect, seq, ts }: StreamFrame, kind: string, payload: object): OutboundFrame {
    const frame = { kind, aspect, seq, ts, payload };
    return new OutboundFrame(encodeFrame(ObserveFrame.kind, { aspect, frame, epoch: this.#epoch }));
  }
}

import type { TurnDelta, TurnSnapshot } from '#shared/frames/observed-turn';
import { defaultTurnLimits, OpenTurn, type TurnHead, type TurnLimits } from './open-turn.ts';
import type { TurnInput } from './turn-input.ts';

/** One emission of a stream about a turn. */
export interface TurnChange {
  readonly delta: TurnDelta;
  /** The turn after the change. While it is in flight, later changes change it too. */
  readonly turn: TurnSnapshot;
  /** An upper bound of the turn's bytes as JSON. */
  readonly bytes: number;
}

/**
 * Folds what an aspect tells of its work into turns, one at a time (observability spec §1.3). Pure:
 * the caller says what time it is. Every change that is returned is one emission.
 */
export class Grouper {
  readonly #limits: TurnLimits;
  #open: OpenTurn | undefined;

  constructor(limits: TurnLimits = defaultTurnLimits) {
    this.#limits = limits;
  }

  get hasOpenTurn(): boolean {
    return this.#open !== undefined;
  }

  /** Opens a turn; one that is open is closed as errored first. */
  begin(head: TurnHead, now: number): TurnChange[] {
    const interrupted = this.close(now, 'interrupted by new turn');
    this.#open = new OpenTurn(head, now, this.#limits);
    return [...interrupted, changeOf(this.#open, this.#open.opening)];
  }

  /** Takes what happened. Nothing comes of it when no turn is open, or when it is already cut. */
  take(input: TurnInput, now: number): TurnChange[] {
    const turn = this.#open;
    const delta = turn?.take(input, now);
    return turn && delta ? [changeOf(turn, delta)] : [];
  }

  /** Ends the open turn, if any: errored with a note or after an error, else complete. */
  close(now: number, note?: string): TurnChange[] {
    const turn = this.#open;
    this.#open = undefined;
    return turn ? [changeOf(turn, turn.close(now, note))] : [];
  }

  /** Shows no more of the open turn, for want of memory. */
  cut(): TurnChange[] {
    const turn = this.#open;
    const delta = turn?.cut();
    return turn && delta ? [changeOf(turn, delta)] : [];
  }
}

const changeOf = (turn: OpenTurn, delta: TurnDelta): TurnChange => ({
  delta,
  turn: turn.snapshot,
  bytes: turn.bytes,
});

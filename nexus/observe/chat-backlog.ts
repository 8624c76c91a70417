import type { ChatMessage } from '../chat/message.ts';

/** A message and those it is for. */
export interface Posted {
  readonly message: ChatMessage;
  readonly recipients: readonly string[];
}

export interface BacklogLimits {
  readonly maxMessages: number;
  /** Letters of all contents. */
  readonly maxLength: number;
}

/**
 * Messages that wait to be put into streams. Bounded: when more come in than anybody looks at, the
 * older half is left out.
 */
export class ChatBacklog {
  readonly #limits: BacklogLimits;
  #waiting: Posted[] = [];
  #length = 0;
  #leftOut = 0;

  constructor(limits: BacklogLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(posted: Posted): void {
    this.#waiting.push(posted);
    this.#length += posted.message.content.length;
    const { maxMessages, maxLength } = this.#limits;
    while (this.#waiting.length > maxMessages || this.#length > maxLength) this.#leaveOutHalf();
  }

  /** What waits, oldest first. */
  takeAll(): Posted[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#length = 0;
    return waiting;
  }

  /** How many were left out since the last time this was asked. */
  takeLeftOut(): number {
    const count = this.#leftOut;
    this.#leftOut = 0;
    return count;
  }

  #leaveOutHalf(): void {
    const leftOut = this.#waiting.splice(0, Math.ceil(this.#waiting.length / 2));
    this.#leftOut += leftOut.length;
    for (const { message } of leftOut) this.#length -= message.content.length;
  }
}

/** Repeats one message many times over in one buffer, so that sending a batch is one write. */
export class Copies {
  readonly #template: Buffer;
  readonly #repeated: Buffer;

  /** `most` is the largest batch. */
  constructor(template: Buffer, most: number) {
    this.#template = template;
    this.#repeated = Buffer.alloc(template.length * most, template);
  }

  take(messages: number): Buffer {
    return this.#repeated.subarray(0, messages * this.#template.length);
  }
}

export const numberWidth = 9;

/** What stands for the number in the template of `NumberedCopies`. */
export const numberPlace = '0'.repeat(numberWidth);

/** Like `Copies`, but each message carries its own number, for requests that are answered. */
export class NumberedCopies {
  readonly #template: Buffer;
  readonly #numberAt: number;
  #next = 1;

  /** `numberAt` is where `numberPlace` is in the template, which may be masked. */
  constructor(template: Buffer, numberAt: number) {
    this.#template = template;
    this.#numberAt = numberAt;
  }

  /** A buffer of its own each time: the socket may still hold the one before. */
  take(messages: number): Buffer {
    const { length } = this.#template;
    const batch = Buffer.allocUnsafe(messages * length);
    for (let i = 0; i < messages; i++) {
      this.#template.copy(batch, i * length);
      this.#writeNumber(batch, i * length + this.#numberAt, this.#next++);
    }
    return batch;
  }

  /** The place holds zeros, and `0` XOR a digit is that digit, also below a mask. */
  #writeNumber(batch: Buffer, at: number, value: number): void {
    let rest = value;
    for (let i = numberWidth - 1; rest > 0 && i >= 0; i--) {
      batch[at + i] = (batch[at + i] ?? 0) ^ (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }
}

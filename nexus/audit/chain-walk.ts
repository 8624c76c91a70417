import { type ChainedRow, chainHash } from '../journal/hash-chain.ts';
import { AuditError } from './errors.ts';
import { type Head, isSignedBy, type SignedHead } from './signed-head.ts';

/** An event as it is stored: the body is the exact text that its hash covers. */
export interface StoredEvent extends ChainedRow {
  readonly hash: string;
}

/** Checks events one after another, each against the one before it. */
export class ChainWalk {
  #head: Head;

  /** `before` is what precedes the first event: its position and its hash. */
  constructor(before: Head) {
    this.#head = before;
  }

  /** The event that was checked last. */
  get head(): Head {
    return this.#head;
  }

  /** Throws `AuditError` for an event that was altered, left out, or put in. */
  step(event: StoredEvent): void {
    const position = this.#head.position + 1;
    const hash = chainHash(this.#head.hash, event);
    if (event.position !== position || event.hash !== hash) {
      throw new AuditError('audit.altered', `the journal was altered at position ${position}`);
    }
    this.#head = { position, hash };
  }

  /** Whether a signed head is this one; throws `AuditError` when it contradicts it. */
  confirm(
    signed: SignedHead,
    instance: { readonly nexusId: string; readonly publicKey: Buffer },
  ): void {
    const { position, hash } = this.#head;
    if (signed.position !== position) return;
    if (signed.hash !== hash || !isSignedBy(signed, instance)) {
      const message = `the signature at position ${position} is not this instance’s`;
      throw new AuditError('audit.altered', message);
    }
  }
}

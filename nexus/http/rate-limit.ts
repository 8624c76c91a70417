import { hash, randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Caller } from '../gateway/listener.ts';
import { TooManyRequests } from './errors.ts';

/** How many windows are kept at once. */
const maxKeys = 65_536;

export interface Rate {
  /** What one caller may do in a window. */
  readonly times: number;
  readonly windowS: number;
}

/** Counts what each caller does in a window of time that begins with its first request. */
export class RateLimit {
  readonly #limiter: RateLimiterMemory;
  /** Two callers may share a window, but nobody can choose with whom. */
  readonly #salt = randomBytes(16).toString('hex');

  constructor({ times, windowS }: Rate) {
    this.#limiter = new RateLimiterMemory({ points: times, duration: windowS });
  }

  /** Counts one request of a caller. Throws `TooManyRequests` when it is over the rate. */
  async take(caller: string): Promise<void> {
    const digest = hash('sha256', this.#salt + caller, 'buffer');
    try {
      await this.#limiter.consume(digest.readUInt32BE(0) % maxKeys);
    } catch (thrown) {
      if (!(thrown instanceof RateLimiterRes)) throw thrown;
      throw new TooManyRequests(Math.ceil(thrown.msBeforeNext / 1000));
    }
  }
}

/** Where a request comes from: an IPv4 address, or the /64 that one host has of IPv6. */
export function callerAddress({ env }: { readonly env: Caller }): string {
  const address = env.remoteAddress;
  const mapped = /^::ffff:(?<v4>[\d.]+)$/i.exec(address)?.groups?.['v4'];
  if (mapped || !isIPv6(address)) return mapped ?? address;
  return networkOf(address);
}

/** The first four groups, with `::` written out. */
export function networkOf(address: string): string {
  const [head = '', tail = ''] = address.split('%')[0]?.split('::') ?? [];
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':').toLowerCase();
}

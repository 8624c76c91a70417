import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import { isLoopback } from '#shared/sys/loopback';
import { operatorName } from '../credentials/identity.ts';
import type { Journal } from '../journal/journal.ts';
import type { LoginFailed, LoginMethod } from '../operators/events.ts';
import { TooManyRequests } from './errors.ts';
import { FailureDelays } from './failure-delays.ts';
import { callerOf, type Rate, RateLimit } from './rate-limit.ts';

/** Failed logins that the journal takes in an hour; the next one says how many it did not. */
export const maxRecordedAnHour = 60;
const hourMs = 3_600_000;

/** A request, as far as it says where it is from. */
type From = { readonly env: Parameters<typeof callerOf>[0] };

export interface LoginRates {
  readonly perAddress: Rate;
  /** One address may stand for many people there, behind a proxy. */
  readonly fromLoopback: Rate;
  readonly inAll: Rate;
}

export const loginRates: LoginRates = {
  perAddress: { times: 30, windowS: 60 },
  fromLoopback: { times: 120, windowS: 60 },
  inAll: { times: 600, windowS: 60 },
};

export interface LoginGuardDeps {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly rates?: LoginRates;
}

/** Slows down whoever tries to guess: every open way in asks here first, and reports back. */
export class LoginGuard {
  readonly #deps: LoginGuardDeps;
  readonly #perAddress: RateLimit;
  readonly #fromLoopback: RateLimit;
  readonly #inAll: RateLimit;
  readonly #delays: FailureDelays;
  #hourBegan = Number.NEGATIVE_INFINITY;
  #recorded = 0;
  #unrecorded = 0;

  constructor(deps: LoginGuardDeps) {
    const rates = deps.rates ?? loginRates;
    this.#deps = deps;
    this.#perAddress = new RateLimit(rates.perAddress);
    this.#fromLoopback = new RateLimit(rates.fromLoopback);
    this.#inAll = new RateLimit(rates.inAll);
    this.#delays = new FailureDelays(deps.clock);
  }

  /**
   * Counts a request. `passkey` is the one that it wants to be recognised by, whose failures count
   * wherever they come from. Throws `TooManyRequests`.
   */
  async admit(c: From, passkey?: string): Promise<void> {
    const address = callerOf(c.env);
    await (isLoopback(address) || address === '0:0:0:0'
      ? this.#fromLoopback
      : this.#perAddress
    ).take(address);
    await this.#inAll.take('');
    const waitMs = Math.max(...callers(address, passkey).map((each) => this.#delays.waitMs(each)));
    if (waitMs > 0) throw new TooManyRequests(Math.ceil(waitMs / 1000));
  }

  succeeded(c: From, passkey?: string): void {
    for (const each of callers(callerOf(c.env), passkey)) this.#delays.succeeded(each);
  }

  failed(c: From, method: LoginMethod, why: string, passkey?: string): void {
    const address = callerOf(c.env);
    for (const each of callers(address, passkey)) this.#delays.failed(each);
    this.#record({ method, address, why });
  }

  #record(facts: Omit<LoginFailed['body'], 'unrecorded'>): void {
    const { journal, clock, log } = this.#deps;
    log.warn(facts, 'a login failed');
    if (clock.monotonic() - this.#hourBegan >= hourMs) {
      this.#hourBegan = clock.monotonic();
      this.#recorded = 0;
    }
    if (this.#recorded >= maxRecordedAnHour) {
      this.#unrecorded += 1;
      return;
    }
    this.#recorded += 1;
    const body = { ...facts, unrecorded: this.#unrecorded };
    this.#unrecorded = 0;
    const event: LoginFailed = { kind: 'operator.login_failed', body };
    journal
      .append({ ...event, actor: operatorName })
      .catch((error) => log.warn({ err: error }, 'a failed login was not recorded'));
  }
}

const callers = (address: string, passkey: string | undefined): string[] =>
  passkey === undefined ? [address] : [address, `passkey ${passkey}`];

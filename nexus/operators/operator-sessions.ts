import { randomBytes } from 'node:crypto';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import { actorName, type Identity, operatorWith } from '../credentials/identity.ts';
import type { Journal } from '../journal/journal.ts';
import type { LoginMethod, SessionEnded, SessionOpened, SessionSeen } from './events.ts';
import type { OperatorStore } from './operator-store.ts';
import { newSecret, secretHash } from './secret-text.ts';
import { type JwtOptions, sessionOf, signSession } from './session-jwt.ts';
import type { SessionRow } from './session-rows.ts';

export interface SessionTimes {
  /** Unused for so long, a session ends. */
  readonly idleMs: number;
  /** Used or not, it ends after this. */
  readonly absoluteMs: number;
  /** How long a session token for programs holds. */
  readonly jwtMs: number;
  /** How often use is recorded. */
  readonly seenEveryMs: number;
}

const hourMs = 3_600_000;
export const sessionTimes: SessionTimes = {
  idleMs: 12 * hourMs,
  absoluteMs: 7 * 24 * hourMs,
  jwtMs: 12 * hourMs,
  seenEveryMs: hourMs,
};

export interface OperatorSessionsDeps {
  readonly journal: Journal;
  readonly store: OperatorStore;
  readonly jwt: JwtOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: SessionTimes;
}

/** Who signed in, how, and where they say they are. */
export interface SignIn {
  readonly operator: string;
  readonly method: LoginMethod;
  readonly passkeyId?: number;
  readonly agent: string;
  readonly address: string;
}

export interface OpenedSession {
  readonly id: string;
  /** For the cookie. The only time it can be read. */
  readonly secret: string;
  readonly openedAt: number;
  readonly expiresAt: number;
}

/** Sessions of people: opened by a login, resolved at every request, ended at once. */
export class OperatorSessions {
  readonly #deps: OperatorSessionsDeps;
  readonly #times: SessionTimes;
  readonly #listeners = new Set<(ended: ReadonlySet<string>) => void>();
  /** When each was last used, where that is not recorded yet. */
  readonly #seenAt = new Map<string, number>();
  #byId = new Map<string, SessionRow>();
  #byHash = new Map<string, SessionRow>();

  constructor(deps: OperatorSessionsDeps) {
    this.#deps = deps;
    this.#times = deps.times ?? sessionTimes;
    this.#load();
    const kinds = new Set(deps.store.kinds);
    deps.journal.onCommit((events) => {
      if (events.some(({ kind }) => kinds.has(kind))) this.#load();
    });
  }

  /** Calls `listener` with the ids of sessions that were ended, once that is on disk. */
  onEnd(listener: (ended: ReadonlySet<string>) => void): void {
    this.#listeners.add(listener);
  }

  async open(signIn: SignIn): Promise<OpenedSession> {
    const secret = newSecret();
    const id = randomBytes(16).toString('hex');
    const expiresAt = this.#deps.clock.now() + this.#times.absoluteMs;
    const body = { ...signIn, id, tokenHash: secretHash(secret), expiresAt };
    const event: SessionOpened = { kind: 'operator.session_opened', body };
    const { at } = await this.#deps.journal.append({
      ...event,
      actor: actorName(signIn.operator),
    });
    return { id, secret, openedAt: at, expiresAt };
  }

  /** The session as a token for programs; it ends with the session, or before. */
  async sign({
    id,
    openedAt,
    expiresAt,
  }: OpenedSession): Promise<{ jwt: string; expiresAt: number }> {
    const ends = Math.min(openedAt + this.#times.jwtMs, expiresAt);
    const jwt = await signSession(this.#deps.jwt, { id, issuedAt: openedAt, expiresAt: ends });
    return { jwt, expiresAt: ends };
  }

  /** Who a cookie belongs to. */
  resolve(secret: string): Identity | undefined {
    const row = this.#byHash.get(secretHash(secret));
    return row && this.#use(row);
  }

  /** Who a session token belongs to; `ended` when its session has, `undefined` when it has none. */
  async resolveJwt(token: string): Promise<Identity | 'ended' | undefined> {
    const claimed = await sessionOf(this.#deps.jwt, token, this.#deps.clock.now());
    if (!claimed) return undefined;
    const row = this.#byId.get(claimed.id);
    const identity = row && this.#use(row);
    return identity ? { ...identity, expiresAt: claimed.expiresAt } : 'ended';
  }

  /** The sessions that have not ended, the oldest first; of everybody, or of one. */
  list(operator?: string): SessionRow[] {
    return [...this.#byId.values()]
      .filter((row) => this.#isLive(row) && (operator === undefined || row.operator === operator))
      .map((row) => ({ ...row, seenAt: this.#lastSeen(row) }));
  }

  find(id: string): SessionRow | undefined {
    const row = this.#byId.get(id);
    return row && this.#isLive(row) ? row : undefined;
  }

  async end(id: string, why: SessionEnded['body']['why'], actor: string): Promise<void> {
    const event: SessionEnded = { kind: 'operator.session_ended', body: { id, why } };
    await this.#deps.journal.append({ ...event, actor });
  }

  #use(row: SessionRow): Identity | undefined {
    if (!this.#isLive(row)) return undefined;
    const account = this.#deps.store.accounts.find(row.operator);
    if (!account) return undefined;
    this.#see(row);
    return operatorWith(
      { account: account.name, access: account.access, provedAt: row.openedAt },
      { sessionId: row.id, expiresAt: row.expiresAt },
    );
  }

  #isLive(row: SessionRow): boolean {
    const now = this.#deps.clock.now();
    return now < row.expiresAt && now < this.#lastSeen(row) + this.#times.idleMs;
  }

  #lastSeen({ id, seenAt }: SessionRow): number {
    return Math.max(seenAt, this.#seenAt.get(id) ?? 0);
  }

  #see(row: SessionRow): void {
    const { clock, journal, log } = this.#deps;
    const now = clock.now();
    const isDue = this.#isDue(row, now);
    this.#seenAt.set(row.id, now);
    if (!isDue) return;
    const event: SessionSeen = { kind: 'operator.session_seen', body: { id: row.id } };
    journal
      .append({ ...event, actor: actorName(row.operator) })
      .catch((error) => log.warn({ err: error }, 'the use of a session was not recorded'));
  }

  /** Once for each period since what is recorded, however small the steps. */
  #isDue(row: SessionRow, now: number): boolean {
    const last = this.#lastSeen(row);
    const { seenEveryMs } = this.#times;
    return (
      Math.floor((now - row.seenAt) / seenEveryMs) > Math.floor((last - row.seenAt) / seenEveryMs)
    );
  }

  #load(): void {
    const before = this.#byId;
    const rows = this.#deps.store.sessions.list();
    this.#byId = new Map(rows.map((row) => [row.id, row]));
    this.#byHash = new Map(rows.map((row) => [row.tokenHash, row]));
    const ended = new Set([...before.keys()].filter((id) => !this.#byId.has(id)));
    for (const id of ended) this.#seenAt.delete(id);
    if (ended.size > 0) for (const listener of this.#listeners) listener(ended);
  }
}

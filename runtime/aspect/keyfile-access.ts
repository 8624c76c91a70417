import { type Static, Type } from 'typebox';
import { nameKey } from '#shared/config/names';
import type { Keyfile } from '#shared/crypto/keyfile';
import { messageOf } from '#shared/errors';
import { compileSchema } from '#shared/schema';
import type { Clock } from '#shared/sys/clock';
import { isLoopback } from '#shared/sys/loopback';
import { LinkError } from '#shared/transport/errors';
import { type HttpAnswer, httpCall } from '#shared/transport/http-call';
import type { Transport } from '#shared/transport/transport';
import { dial } from '#shared/transport/ws-dial';
import { AspectError } from './errors.ts';
import type { RenewableSession } from './session-keeper.ts';

const answerWithinMs = 10_000;

/** Bytes of an answer; a broker may send an aspect all that it is (auth spec §14 D6). */
const maxAnswerBytes = 2 * 1024 * 1024;

export interface KeyfileAccessDeps {
  readonly keyfile: Keyfile;
  /** Whose it must be. */
  readonly aspect: string;
  /** Where the broker is, instead of what the keyfile says. */
  readonly url?: string | undefined;
  /** The broker's certificate, where the system does not know it. */
  readonly pin?: string | undefined;
  readonly clock: Clock;
}

const NexusIdAnswer = Type.Object({ nexus_id: Type.String() });
const ValidateAnswer = Type.Object({ session_jwt: Type.String() });
const Claims = Type.Object({
  sub: Type.String(),
  exp: Type.Integer(),
  iat: Type.Optional(Type.Integer()),
});

const checks = {
  nexusId: compileSchema(NexusIdAnswer),
  validate: compileSchema(ValidateAnswer),
  claims: compileSchema(Claims),
};

/**
 * The way in with a keyfile: it is shown to the broker before every dial and every refresh, and
 * only to one that says it is the instance that the keyfile is for.
 */
export class KeyfileAccess implements RenewableSession {
  readonly #deps: KeyfileAccessDeps;
  /** `http` or `https`, without a path. */
  readonly #base: string;
  #expiresAt = 0;

  /** Throws `AspectError` when the keyfile would travel in the open. */
  constructor(deps: KeyfileAccessDeps) {
    this.#deps = deps;
    const url = new URL((deps.url ?? deps.keyfile.envelope.nexus_url).replace(/^ws/, 'http'));
    if (url.protocol !== 'https:' && !isLoopback(url.hostname)) {
      const message = `a keyfile is not sent in the open: ${url.host} must be reached by wss`;
      throw new AspectError('aspect.refused', message);
    }
    this.#base = url.origin;
  }

  get expiresAt(): number {
    return this.#expiresAt;
  }

  async dial(signal: AbortSignal): Promise<Transport> {
    const { pin } = this.#deps;
    return dial(this.#base, await this.renew(signal), { signal, pin });
  }

  async renew(signal: AbortSignal): Promise<string> {
    const { keyfile, aspect, clock } = this.#deps;
    const { nexus_id: there } = await this.#call('/api/nexus_id', signal, checks.nexusId);
    const { nexus_id: expected } = keyfile.envelope;
    if (there !== expected) {
      const message = `this keyfile is for Nexus ${expected}, but ${this.#base} is ${there}`;
      throw new AspectError('aspect.refused', message);
    }
    const { encrypted_payload } = keyfile;
    const answer = await this.#call('/api/aspect/validate', signal, checks.validate, {
      encrypted_payload,
    });
    const { sub, exp, iat = Math.floor(clock.now() / 1000) } = claimsOf(answer.session_jwt);
    if (nameKey(sub) !== nameKey(aspect)) {
      const message = `this keyfile is ${sub}'s, and the home ${aspect}'s`;
      throw new AspectError('aspect.refused', message);
    }
    // By our own clock: the broker's may differ.
    this.#expiresAt = clock.now() + (exp - iat) * 1000;
    return answer.session_jwt;
  }

  async #call<Answer>(
    path: string,
    signal: AbortSignal,
    check: { accepts(value: unknown): value is Answer },
    body?: object,
  ): Promise<Answer> {
    const { status, text } = await this.#exchange(path, signal, body);
    const value = parse(text);
    if (status < 300 && check.accepts(value)) return value;
    const reason = reasonIn(value) ?? `HTTP ${status}`;
    // What the broker says of the keyfile will not change by asking again.
    if ([400, 401, 403, 404].includes(status)) {
      const message = `${this.#base} does not take this keyfile: ${reason}`;
      throw new AspectError('aspect.refused', message);
    }
    throw new LinkError('link.unreachable', `${this.#base}${path} answered: ${reason}`);
  }

  async #exchange(path: string, signal: AbortSignal, body?: object): Promise<HttpAnswer> {
    try {
      return await httpCall(new URL(path, this.#base), {
        method: body ? 'POST' : 'GET',
        body,
        pin: this.#deps.pin,
        signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]),
        maxBytes: maxAnswerBytes,
      });
    } catch (cause) {
      signal.throwIfAborted();
      const message = `cannot reach ${this.#base}: ${messageOf(cause)}`;
      throw new LinkError('link.unreachable', message, { cause });
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON: the status says more.
    return undefined;
  }
}

function reasonIn(value: unknown): string | undefined {
  const { error } = (value ?? {}) as { error?: unknown };
  return typeof error === 'string' ? error : undefined;
}

/** What a token says of itself. Only the broker can tell whether it is true. */
function claimsOf(token: string): Static<typeof Claims> {
  try {
    const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    const claims: unknown = JSON.parse(text);
    if (checks.claims.accepts(claims)) return claims;
  } catch {
    // Not JSON: said below.
  }
  throw new LinkError('link.unreachable', 'the broker answered with something that is no token');
}

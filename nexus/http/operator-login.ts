import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { Context } from 'hono';
import { type Static, Type } from 'typebox';
import { FrameRefused } from '#shared/frames/errors';
import type { Clock } from '#shared/sys/clock';
import type { Identity } from '../credentials/identity.ts';
import { LoginRefused } from '../operators/errors.ts';
import type { LoginMethod } from '../operators/events.ts';
import type { LoginCodes } from '../operators/login-codes.ts';
import type { OpenedSession, OperatorSessions } from '../operators/operator-sessions.ts';
import type { Passkeys } from '../operators/passkeys.ts';
import { bodyOf, type HttpEnv, type Resource } from './app.ts';
import type { LoginGuard } from './login-guard.ts';
import { callerOf } from './rate-limit.ts';
import { assertRecent } from './route-table.ts';
import type { SessionCookie } from './session-cookie.ts';

export interface OperatorLoginDeps {
  readonly codes: LoginCodes;
  readonly passkeys: Passkeys;
  readonly sessions: OperatorSessions;
  readonly guard: LoginGuard;
  readonly cookie: SessionCookie;
  readonly clock: Clock;
  /** Who asks, if they say so; throws for whoever says so wrongly. */
  readonly identify: (c: Context<HttpEnv>) => Promise<Identity | undefined>;
}

const word = Type.String({ minLength: 1, maxLength: 256 });
const base64 = Type.String({ maxLength: 32_768 });
const credential = {
  /** Pages of the reference put it in the query. */
  session_token: Type.Optional(word),
  id: Type.String({ minLength: 1, maxLength: 2_048 }),
  rawId: base64,
  type: Type.Literal('public-key'),
  authenticatorAttachment: Type.Optional(
    Type.Union([Type.Literal('platform'), Type.Literal('cross-platform')]),
  ),
};

const Code = Type.Object({ code: word });
const Begin = Type.Object({
  label: Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\u0000-\\u001f\\u007f]*$' }),
  /** A one-time code, instead of being signed in. */
  code: Type.Optional(word),
});
const Attestation = Type.Object({
  ...credential,
  response: Type.Object({
    clientDataJSON: base64,
    attestationObject: base64,
    transports: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 16 })),
  }),
});
const Assertion = Type.Object({
  ...credential,
  response: Type.Object({
    clientDataJSON: base64,
    authenticatorData: base64,
    signature: base64,
    userHandle: Type.Optional(base64),
  }),
});

/** How people get in: by a one-time link, or by a passkey (auth spec §8). */
export function operatorLoginRoutes(deps: OperatorLoginDeps): Resource {
  const { codes, passkeys, sessions, guard, cookie, clock, identify } = deps;
  const codeBody = bodyOf(Code);
  const beginBody = bodyOf(Begin);
  const attestation = bodyOf(Attestation);
  const assertion = bodyOf(Assertion);

  /** Runs one attempt, and counts it against its caller when it fails. */
  const attempt = async <Result>(
    c: Context<HttpEnv>,
    method: LoginMethod,
    run: () => Promise<Result>,
    passkey?: string,
  ): Promise<Result> => {
    await guard.admit(c, passkey);
    try {
      const result = await run();
      guard.succeeded(c, passkey);
      return result;
    } catch (error) {
      if (error instanceof LoginRefused) guard.failed(c, method, error.message, passkey);
      throw error;
    }
  };

  const signIn = async (
    c: Context<HttpEnv>,
    who: { operator: string; method: LoginMethod; passkeyId?: number },
  ): Promise<OpenedSession> => {
    const agent = (c.req.header('user-agent') ?? '').slice(0, 200);
    const opened = await sessions.open({ ...who, agent, address: callerOf(c.env) });
    cookie.set(c, opened.secret, opened.expiresAt - opened.openedAt);
    return opened;
  };

  return (app) => {
    app.use('/api/operator/*', async (c, next) => {
      c.header('Cache-Control', 'no-store');
      await next();
    });

    app.post('/api/operator/login/code', async (c) => {
      const { code } = await codeBody(c);
      const operator = await attempt(c, 'link', async () => {
        const found = codes.take(code);
        if (found === undefined) throw new LoginRefused(badCode);
        return found;
      });
      const { expiresAt } = await signIn(c, { operator, method: 'link' });
      return c.json({ ok: true, operator, session_expires: rfc3339(expiresAt) });
    });

    app.post('/api/operator/register/begin', async (c) => {
      const { label, code } = await beginBody(c);
      const right = await attempt(c, 'link', async () => {
        if (code === undefined) return rightOf(await identify(c), clock.now());
        const operator = codes.take(code);
        if (operator === undefined) throw new LoginRefused(badCode);
        return { operator, sessionId: undefined };
      });
      const begun = await passkeys.beginRegistration(right.operator, label, right.sessionId);
      return c.json({
        session_token: begun.sessionToken,
        options: { publicKey: begun.publicKey },
      });
    });

    app.post('/api/operator/register/finish', async (c) => {
      const body = await attestation(c);
      const token = sessionToken(c, body);
      const id = await attempt(c, 'passkey', () =>
        passkeys.finishRegistration(token, registration(body)),
      );
      return c.json({ ok: true, passkey_id: id });
    });

    app.post('/api/operator/login/begin', async (c) => {
      await guard.admit(c);
      const begun = await passkeys.beginLogin();
      return c.json({
        session_token: begun.sessionToken,
        options: { publicKey: begun.publicKey },
      });
    });

    app.post('/api/operator/login/finish', async (c) => {
      const body = await assertion(c);
      const token = sessionToken(c, body);
      const { id: passkeyId, operator } = await attempt(
        c,
        'passkey',
        () => passkeys.finishLogin(token, authentication(body)),
        body.id,
      );
      const opened = await signIn(c, { operator, method: 'passkey', passkeyId });
      const { jwt, expiresAt } = await sessions.sign(opened);
      return c.json({
        ok: true,
        session_jwt: jwt,
        session_expires: rfc3339(expiresAt),
        passkey_id: passkeyId,
      });
    });
  };
}

const badCode = 'this link was used, has expired, or is none of ours; make a new one';

/** Whose passkey is added: one's own. */
function rightOf(
  identity: Identity | undefined,
  now: number,
): { operator: string; sessionId?: string | undefined } {
  if (!identity) {
    throw new LoginRefused('locked: sign in first, with a link from nexus operator login');
  }
  if (!identity.operator) throw new FrameRefused('forbidden', 'passkeys are for operators');
  assertRecent(identity.operator, now);
  return { operator: identity.operator.account, sessionId: identity.sessionId };
}

/** In the body; the query is taken too, for pages of the reference (§14 A7). */
function sessionToken(c: Context, body: { session_token?: string }): string {
  const token = body.session_token ?? c.req.query('session_token');
  if (token) return token;
  throw new FrameRefused('bad_request', 'session_token is missing');
}

function registration({ response, ...rest }: Static<typeof Attestation>): RegistrationResponseJSON {
  return { ...rest, response, clientExtensionResults: {} };
}

function authentication({
  response,
  ...rest
}: Static<typeof Assertion>): AuthenticationResponseJSON {
  return { ...rest, response, clientExtensionResults: {} };
}

export const rfc3339 = (ms: number): string => new Date(ms).toISOString();

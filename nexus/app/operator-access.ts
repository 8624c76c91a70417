import { X509Certificate } from 'node:crypto';
import type { Context } from 'hono';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import type { Hub } from '../broker/hub.ts';
import type { Authenticate, Identity } from '../credentials/identity.ts';
import type { InstanceIdentity } from '../credentials/instance-identity.ts';
import { isRefused, RequestIdentity, type Verdict } from '../credentials/request-identity.ts';
import { type HttpEnv, type Resource, refusal } from '../http/app.ts';
import { LoginGuard, type LoginRates } from '../http/login-guard.ts';
import { operatorAdminRoutes } from '../http/operator-admin.ts';
import { operatorLoginRoutes } from '../http/operator-login.ts';
import { operatorSelfRoutes } from '../http/operator-self.ts';
import { pageRoutes } from '../http/pages.ts';
import { requestFacts } from '../http/request-facts.ts';
import { SessionCookie } from '../http/session-cookie.ts';
import type { Journal } from '../journal/journal.ts';
import { Accounts } from '../operators/accounts.ts';
import { Ceremonies } from '../operators/ceremonies.ts';
import { LoginCodes } from '../operators/login-codes.ts';
import { OperatorSessions } from '../operators/operator-sessions.ts';
import type { OperatorStore } from '../operators/operator-store.ts';
import { Passkeys } from '../operators/passkeys.ts';
import { Site } from '../operators/site.ts';

/** A connection whose session has ended. Ours (auth spec §14 A4). */
const signedOutClose = 4401;

/** How people sign in, as far as that can be chosen. */
export interface OperatorOptions {
  readonly rpId?: string | undefined;
  readonly origins?: readonly string[] | undefined;
  readonly rates?: LoginRates | undefined;
}

export interface OperatorAccessDeps {
  readonly instance: InstanceIdentity;
  readonly store: OperatorStore;
  readonly journal: Journal;
  readonly hub: Hub;
  /** What is listened on, and the certificate that is shown there (PEM). */
  readonly host: string;
  readonly cert: string | undefined;
  readonly options: OperatorOptions;
  readonly resolveToken: Authenticate;
  readonly renewToken: (actor: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Everything by which people come in, and the one rule of who sends a request. */
export interface OperatorAccess {
  readonly site: Site;
  readonly accounts: Accounts;
  /** Who sends a request: for every route, and for the gateway. */
  readonly identity: RequestIdentity;
  /** Who presents a token, for what knows of tokens only. */
  readonly authenticate: Authenticate;
  readonly open: readonly Resource[];
  readonly guarded: readonly Resource[];
}

export function operatorAccess(deps: OperatorAccessDeps): OperatorAccess {
  const { instance, store, journal, hub, host, cert, options, clock, log } = deps;
  const { nexusId, sessionSecret: secret } = instance;
  const isSecure = cert !== undefined;
  const site = new Site({
    ...options,
    host,
    isSecure,
    certificateNames: cert ? namesOf(cert) : [],
  });
  const cookie = new SessionCookie(nexusId, isSecure);
  const codes = new LoginCodes(clock);
  const sessions = new OperatorSessions({ journal, store, jwt: { secret, nexusId }, clock, log });
  const passkeys = new Passkeys({ journal, store, ceremonies: new Ceremonies(clock), site });
  const accounts = new Accounts({ journal, store, codes, site, renewToken: deps.renewToken });
  const guard = new LoginGuard({
    journal,
    clock,
    log,
    ...(options.rates && { rates: options.rates }),
  });
  const identity = new RequestIdentity({
    resolveToken: deps.resolveToken,
    resolveJwt: (token) => sessions.resolveJwt(token),
    resolveCookie: (value) => sessions.resolve(value),
    cookieName: cookie.name,
    isOwnOrigin: (origin) => site.isOwn(origin),
  });
  const identify = async (c: Context<HttpEnv>) => {
    const facts = requestFacts(c);
    if (identity.isAnonymous(facts)) return undefined;
    const verdict = await identity.resolve(facts);
    if (isRefused(verdict)) throw refusal(verdict);
    return verdict;
  };

  const closeThose = (are: (identity: Identity) => boolean) => {
    for (const connection of hub.connections) {
      if (are(connection.identity)) connection.close(signedOutClose, 'signed out');
    }
  };
  sessions.onEnd((ended) => closeThose(({ sessionId }) => ended.has(sessionId ?? '')));
  accounts.onChange((account) =>
    closeThose(
      ({ operator }) =>
        operator !== undefined && (account ?? operator.account) === operator.account,
    ),
  );

  return {
    site,
    accounts,
    identity,
    authenticate: (token) => {
      const verdict = identity.resolve({ method: 'GET', queryToken: token });
      return verdict instanceof Promise ? verdict.then(identityIn) : identityIn(verdict);
    },
    open: [
      pageRoutes(),
      operatorLoginRoutes({ codes, passkeys, sessions, guard, cookie, clock, identify }),
    ],
    guarded: [
      operatorSelfRoutes({ nexusId, sessions, passkeys, cookie }),
      operatorAdminRoutes(accounts),
    ],
  };
}

const identityIn = (verdict: Verdict): Identity | undefined =>
  isRefused(verdict) ? undefined : verdict;

/** The names that a certificate is for; the common name is not one. */
function namesOf(cert: string): string[] {
  const names = new X509Certificate(cert).subjectAltName ?? '';
  return [...names.matchAll(/DNS:([^,\s]+)/g)].map(([, name = '']) => name.toLowerCase());
}

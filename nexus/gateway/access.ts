import type { IncomingMessage } from 'node:http';
import { isLoopback } from '#shared/sys/loopback';

/** The token of an `Authorization` header: exactly `Bearer`, one space, the token (§1.2). */
export function bearerToken(authorization: string | undefined): string | undefined {
  const prefix = 'Bearer ';
  if (!authorization?.startsWith(prefix)) return undefined;
  return authorization.slice(prefix.length) || undefined;
}

/** The token of an upgrade request: the header's, else the query's. */
export function upgradeToken(request: IncomingMessage): string | undefined {
  const fromHeader = bearerToken(request.headers.authorization);
  if (fromHeader) return fromHeader;
  return targetOf(request).searchParams.get('token') ?? undefined;
}

/** The request target, parsed. The host part is a placeholder: never trust it. */
export function targetOf(request: IncomingMessage): URL {
  return URL.parse(request.url ?? '/', 'http://unknown') ?? new URL('http://unknown/');
}

/**
 * Whether a request names this server and comes from its own pages, or from no page at all.
 *
 * A page elsewhere can make a browser connect here, under a name it controls (DNS rebinding). So a
 * loopback listener serves loopback names only, and an `Origin`, when there is one, must be the
 * host that was asked for.
 */
export function isSameSite(
  headers: { host?: string | undefined; origin?: string | undefined },
  boundHost: string,
): boolean {
  const { host, origin } = headers;
  const asked = host === undefined ? null : URL.parse(`http://${host}`);
  if (!asked) return false;
  if (isLoopback(boundHost) && !isLoopback(asked.hostname)) return false;
  if (origin === undefined) return true;
  return URL.parse(origin)?.host.toLowerCase() === host?.toLowerCase();
}

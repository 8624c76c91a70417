import { isLoopback } from '#shared/sys/loopback';

/** The first line and the headers of a request, whichever library read them. */
export interface RequestHead {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly remoteAddress: string;
  /** A header by its lower-case name; repeated ones are joined by commas. */
  header(name: string): string | undefined;
}

/** The token of an `Authorization` header: exactly `Bearer`, one space, the token (§1.2). */
export function bearerToken(authorization: string | undefined): string | undefined {
  const prefix = 'Bearer ';
  if (!authorization?.startsWith(prefix)) return undefined;
  return authorization.slice(prefix.length) || undefined;
}

/** The token of a request to `/connect`: the header's, else the query's. */
export function connectToken(head: RequestHead): string | undefined {
  const fromHeader = bearerToken(head.header('authorization'));
  if (fromHeader) return fromHeader;
  return targetOf(head).searchParams.get('token') ?? undefined;
}

/** The request target, parsed. The host part is a placeholder: never trust it. */
export function targetOf({ target }: Pick<RequestHead, 'target'>): URL {
  return URL.parse(target, 'http://unknown') ?? new URL('http://unknown/');
}

/** Whether it asks for a WebSocket, valid or not. */
export function isUpgrade(head: RequestHead): boolean {
  if (head.header('upgrade')?.toLowerCase() !== 'websocket') return false;
  const options = head.header('connection')?.toLowerCase().split(',') ?? [];
  return options.some((option) => option.trim() === 'upgrade');
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

import { type Access, accessLevels } from '#shared/frames/define';
import { FrameRefused } from '#shared/frames/errors';
import { type Identity, isAdmin, isEnough, type OperatorRights } from '../credentials/identity.ts';

/** Who may call a route. */
export interface RouteRule {
  /** Anybody, without saying who they are. */
  readonly open?: true;
  /** It asks for a token by itself, and refuses in the form that the reference's clients expect. */
  readonly refusesItself?: true;
  /** Which aspects: all of them, or those that may act for others. None unless it says so. */
  readonly aspects?: 'any' | 'admin';
  /** What an operator needs. */
  readonly operators?: Access;
  /** Not with an old session: whoever took over a browser must not take over everything. */
  readonly recent?: true;
  /** Only with the token of the data directory. */
  readonly hostOnly?: true;
}

const anyone: RouteRule = { open: true };
const everybody: RouteRule = { aspects: 'any', operators: 'viewer' };
const whoeverTalks: RouteRule = { aspects: 'any', operators: 'operator' };
const admins: RouteRule = { aspects: 'admin', operators: 'admin' };
const people: RouteRule = { operators: 'viewer' };
const adminPeople: RouteRule = { operators: 'admin' };

/** Every route and who may call it. A route without a rule is served to nobody. */
export const routeTable: Readonly<Record<string, RouteRule>> = {
  'GET /health': anyone,
  'GET /': anyone,
  'GET /login': anyone,
  'GET /page/:file': anyone,
  'GET /api/nexus_id': anyone,
  'POST /api/aspect/validate': anyone,
  'GET /api/auth/mode': anyone,
  'GET /api/auth/check': { open: true, refusesItself: true },

  'GET /aspects': everybody,
  'GET /api/aspects': everybody,
  'POST /aspects/register': whoeverTalks,
  'POST /aspects/heartbeat': whoeverTalks,
  'POST /aspects/deregister': whoeverTalks,
  'PUT /api/files/:id{[0-9]{1,15}}/content': whoeverTalks,
  'GET /api/files/:id{[0-9]{1,15}}/content': everybody,

  'POST /api/admin/tokens': admins,
  'GET /api/admin/aspects': admins,
  'POST /api/admin/aspects/mint': admins,
  'POST /api/admin/aspects/retire': admins,
  'POST /api/admin/aspects/resurrect': admins,

  'GET /api/admin/credentials': admins,
  'PUT /api/admin/credentials/:name': admins,
  'GET /api/admin/credentials/:name': admins,
  'DELETE /api/admin/credentials/:name': admins,
  'GET /api/admin/credentials/:name/audit': admins,
  'POST /api/admin/vault/rotate-key': admins,
  'GET /api/admin/aspects/:name/credential-defaults': admins,
  'PUT /api/admin/aspects/:name/credential-defaults': admins,
  'GET /api/admin/aspects/:name/mcp_profile': admins,
  'PUT /api/admin/aspects/:name/mcp_profile': admins,
  'PUT /api/aspect/personality': whoeverTalks,
  'PUT /api/admin/aspect/:name/personality': admins,
  'PUT /api/admin/aspects/:name/personality': admins,
  'GET /api/admin/aspect/:name/personality': admins,
  'GET /api/admin/aspects/:name/personality': admins,
  'PUT /api/admin/nexus-md': admins,
  'GET /api/admin/nexus-md': admins,
  'PUT /api/admin/aspect/:name/switch-surface': admins,
  'PUT /api/admin/aspects/:name/switch-surface': admins,
  'POST /api/admin/shutdown': admins,
  'POST /api/admin/compact': admins,
  'POST /api/admin/rewind': admins,
  'GET /api/admin/op/:id': admins,
  'GET /api/admin/roster': admins,
  'GET /api/admin/dispatch-status': admins,

  'POST /api/operator/login/code': anyone,
  'POST /api/operator/login/begin': anyone,
  'POST /api/operator/login/finish': anyone,
  // Open to a one-time code in the body as well as to people who are signed in.
  'POST /api/operator/register/begin': anyone,
  'POST /api/operator/register/finish': anyone,

  'GET /api/operator/me': people,
  'POST /api/operator/logout': people,
  'GET /api/operator/sessions': people,
  'DELETE /api/operator/sessions/:id': people,
  'GET /api/operator/passkeys': people,
  'DELETE /api/operator/passkeys/:id': { ...people, recent: true },

  'GET /api/operators': adminPeople,
  'POST /api/operators': { ...adminPeople, recent: true },
  'PUT /api/operators/:name': { ...adminPeople, recent: true },
  'DELETE /api/operators/:name': { ...adminPeople, recent: true },
  'POST /api/operator/login-links': { ...adminPeople, recent: true },
  'POST /api/operator/reset': { ...adminPeople, hostOnly: true },
};

/** How long after signing in a session may do what is `recent`. */
export const recentMs = 15 * 60_000;

/** Throws `FrameRefused` unless a caller may do what a rule is for. */
export function assertMayCall(rule: RouteRule | undefined, identity: Identity, now: number): void {
  const { operator } = identity;
  if (!rule) throw new FrameRefused('forbidden', 'nobody may call this');
  if (rule.open) return;
  if (!operator) {
    if (rule.aspects === 'any' || (rule.aspects === 'admin' && isAdmin(identity))) return;
    throw forbidden(rule);
  }
  if (!rule.operators || !isEnough(operator.access, rule.operators)) throw forbidden(rule);
  if (rule.hostOnly && identity.sessionId !== undefined) {
    throw new FrameRefused('forbidden', 'only on the host of the broker: nexus operator reset');
  }
  if (rule.recent) assertRecent(operator, now);
}

/** Throws `FrameRefused` when it is too long ago that somebody proved who they are. */
export function assertRecent({ provedAt }: OperatorRights, now: number): void {
  if (provedAt === undefined || now - provedAt <= recentMs) return;
  throw new FrameRefused('forbidden', 'sign in again for this: the session is too old');
}

function forbidden({ operators = accessLevels[0] }: RouteRule): FrameRefused {
  // The reference's word, which its clients look for.
  if (operators === 'admin') return new FrameRefused('forbidden', 'admin_required');
  return new FrameRefused('forbidden', `this needs an operator with ${operators} rights`);
}

import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import type { AspectStore } from '../aspects/aspect-store.ts';
import { AspectRegistry } from '../aspects/registry.ts';
import { aspectStanding } from '../aspects/standing.ts';
import type { Hub } from '../broker/hub.ts';
import type { InstanceIdentity } from '../credentials/instance-identity.ts';
import { LiveSessions } from '../credentials/live-sessions.ts';
import { type AspectStanding, SessionTokens } from '../credentials/session-token.ts';
import { TokenResolver } from '../credentials/token-resolver.ts';
import type { TokenStore } from '../credentials/token-store.ts';
import type { Journal } from '../journal/journal.ts';

export interface AccessControlDeps {
  readonly instance: InstanceIdentity;
  readonly tokens: TokenStore;
  readonly aspects: AspectStore;
  readonly journal: Journal;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Log;
}

/** Who may come in, with what, and for how long. */
export interface AccessControl {
  readonly registry: AspectRegistry;
  readonly standing: AspectStanding;
  readonly sessions: SessionTokens;
  readonly resolver: TokenResolver;
  readonly live: LiveSessions;
}

/** Builds the parts so that what is recorded ends the connections that it voids. */
export function accessControl(deps: AccessControlDeps): AccessControl {
  const { instance, tokens, aspects, journal, hub, clock, log } = deps;
  const findName = (name: string) => tokens.findName(name);
  const registry = new AspectRegistry({ journal, store: aspects, findName });
  const standing = aspectStanding(registry, tokens);
  const { sessionSecret: secret, nexusId } = instance;
  const sessions = new SessionTokens({ secret, nexusId, standing, clock });
  const resolver = new TokenResolver({ tokens, sessions, standing, legacy: {}, clock, log });
  const live = new LiveSessions({ hub, clock, holds: (identity) => resolver.holds(identity) });
  tokens.follow(journal, () => live.sweep());
  registry.onChange(() => live.sweep());
  return { registry, standing, sessions, resolver, live };
}

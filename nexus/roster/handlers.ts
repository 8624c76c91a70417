import { nameKey, nameProblem } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import { OutpostDeregister, OutpostRegister } from '#shared/frames/outpost';
import {
  Deregister,
  Register,
  type Registration,
  withoutUnknown,
} from '#shared/frames/registration';
import { RosterList } from '#shared/frames/roster';
import { SubscribeRoster, UnsubscribeRoster } from '#shared/frames/subscriptions';
import { type Handler, reads, writes } from '../broker/handler.ts';
import type { Hub, Route } from '../broker/hub.ts';
import { type Identity, isAdmin } from '../credentials/identity.ts';
import { heartbeatIntervalS, type RosterService } from './roster-service.ts';

/** Catches an aspect up on what it missed above a cursor, then makes its route live. */
export type StartReplay = (route: Route, sinceId: number) => void;

export interface RosterHandlerDeps {
  readonly roster: RosterService;
  readonly hub: Hub;
  readonly nexusId: string;
  /** Id of the newest chat message. */
  newestId(): number;
}

/** The registration and roster frames. */
export function rosterHandlers(deps: RosterHandlerDeps, startReplay: StartReplay): Handler[] {
  const { roster, hub, nexusId } = deps;
  return [
    writes(Register, async (payload, connection) => {
      const { since_msg_id = 0, request_replay = false, via_outpost, ...fields } = payload;
      const registration = admitted(connection.identity, fields);
      if (via_outpost) connection.outpostId ??= via_outpost;
      const route = await roster.connect(registration, connection, !request_replay);
      // After this answer, which is a promise away: the replay follows the ack (§1.8), and its
      // beginning leaves in the same write.
      if (route && request_replay) process.nextTick(startReplay, route, since_msg_id);
      return {
        heartbeat_interval_s: heartbeatIntervalS,
        stale_after_s: roster.staleAfterS,
        nexus_id: nexusId,
        head_id: deps.newestId(),
      };
    }),

    writes(Deregister, async ({ name, session_id, reason }, connection) => {
      assertMayBe(connection.identity, name);
      await roster.deregister(name, session_id, reason);
    }),

    writes(OutpostRegister, async (payload, connection) => {
      await roster.outpostCame(connection, payload);
      return { heartbeat_interval_s: heartbeatIntervalS };
    }),

    writes(OutpostDeregister, async (payload, connection) => {
      await roster.outpostLeaves(connection, payload);
      return undefined;
    }),

    reads(RosterList, () => ({ aspects: roster.rows() })),

    reads(SubscribeRoster, (_, connection) => {
      hub.subscribe('roster', connection);
      return { kind: SubscribeRoster.kind };
    }),

    reads(UnsubscribeRoster, (_, connection) => {
      hub.unsubscribe('roster', connection);
      return { kind: UnsubscribeRoster.kind };
    }),
  ];
}

/** Bytes of a registration's `metadata` as JSON: it is shown to everyone who lists the roster. */
const maxMetadataBytes = 16 * 1024;

/**
 * A registration must name its token's identity (G1) and gets that one's spelling. Admin tokens may
 * register any well-formed name, which the reference's frame tester needs; the operator's page
 * registers as itself. Throws `FrameRefused`.
 */
export function admitted(identity: Identity, asked: Registration): Registration {
  const registration = withoutUnknown(asked);
  const { name, metadata } = registration;
  if (metadata && Buffer.byteLength(JSON.stringify(metadata)) > maxMetadataBytes) {
    throw new FrameRefused('too_large', `metadata may have ${maxMetadataBytes} bytes`);
  }
  if (nameKey(name) === nameKey(identity.name)) return { ...registration, name: identity.name };
  assertMayBe(identity, name);
  const problem = nameProblem(name);
  if (problem) throw new FrameRefused('bad_request', problem);
  return registration;
}

/** Throws `FrameRefused` with `forbidden` unless the caller is `name`, is granted it, or is admin. */
export function assertMayBe(identity: Identity, name: string): void {
  if (isAdmin(identity) || nameKey(name) === nameKey(identity.name)) return;
  if (identity.grants?.has(nameKey(name))) return;
  throw new FrameRefused('forbidden', `this token belongs to ${identity.name}, not to ${name}`);
}

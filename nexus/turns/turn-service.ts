import { nameKey } from '#shared/config/names';
import { messageOf } from '#shared/errors';
import type { FrameCodec } from '#shared/frames/codec';
import type { FrameDefinition, PayloadOf } from '#shared/frames/define';
import { type Envelope, encodeFrame } from '#shared/frames/envelope';
import { FrameRefused } from '#shared/frames/errors';
import { Turn, TurnCancel, TurnError, TurnResult, type TurnTokens } from '#shared/frames/turns';
import type { Clock } from '#shared/sys/clock';
import type { NewId } from '#shared/sys/ids';
import { OutboundFrame } from '#shared/transport/frame-batch';
import type { Hub, Route } from '../broker/hub.ts';

export interface TurnServiceDeps {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly codec: FrameCodec;
  /** A known aspect's name as its owner spells it, connected or not. */
  findName(name: string): string | undefined;
  /** Bytes of a `turn` frame, below what every client accepts (1 MiB). */
  readonly maxFrameBytes?: number;
}

export interface TurnOptions {
  /** How long the aspect may take. */
  readonly timeoutMs?: number;
  /** Takes the turn back. */
  readonly signal?: AbortSignal;
}

/** What an aspect said when it had finished a turn. */
export interface TurnOutcome {
  /** As its owner spells it. */
  readonly aspect: string;
  readonly output: string;
  readonly stopReason: string;
  readonly tokens: TurnTokens;
  readonly entryIds: readonly string[];
}

/** The reference's agents give a turn as long (§3.2). */
export const defaultTurnMs = 600_000;

/** Of what an aspect says about its failure. */
const maxReasonLength = 2_000;

/** A turn that was sent and not answered. */
interface PendingTurn {
  readonly route: Route;
  fail(error: unknown): void;
}

/** Asks aspects for turns, over the connection that their name leads to. */
export class TurnService {
  readonly #deps: TurnServiceDeps;
  readonly #maxFrameBytes: number;
  readonly #pending = new Set<PendingTurn>();

  constructor(deps: TurnServiceDeps) {
    this.#deps = deps;
    this.#maxFrameBytes = deps.maxFrameBytes ?? 1_000_000;
    deps.hub.onRouteGone((route) => this.#routeGone(route));
  }

  /**
   * Sends a turn and resolves with what the aspect made of it. Only the connection that was asked
   * can answer; when the name no longer leads there, the turn fails at once.
   *
   * Throws `FrameRefused`: `not_found`, `not_registered` (absent, or gone before the answer),
   * `busy`, `too_large`, `timeout`, `turn_failed`. Rejects with the signal's reason when that
   * aborts first. Whenever nobody waits any more, the aspect is sent `turn.cancel`.
   */
  async send(aspect: string, request: Turn, options: TurnOptions = {}): Promise<TurnOutcome> {
    const { timeoutMs = defaultTurnMs, signal } = options;
    signal?.throwIfAborted();
    const route = this.#routeTo(aspect);
    const id = this.#deps.newId();
    const frame = this.#encode(id, route, request);
    const { promise, resolve, reject } = Promise.withResolvers<TurnOutcome>();
    const { awaited } = route.connection;
    awaited.expect(id, (answer) => {
      try {
        resolve(this.#outcomeOf(route.name, answer));
      } catch (error) {
        reject(error);
      }
    });

    const takeBack = (reason: string, error: unknown) => {
      this.#cancel(id, route, reason);
      reject(error);
    };
    const onAbort = () => takeBack('nobody waits for it any more', signal?.reason);
    signal?.addEventListener('abort', onAbort);
    const cancelTimer = this.#deps.clock.after(timeoutMs, () => {
      const message = `${route.name} did not answer in ${timeoutMs / 1000} s`;
      takeBack('it took too long', new FrameRefused('timeout', message));
    });
    const pending: PendingTurn = { route, fail: reject };
    this.#pending.add(pending);
    route.connection.send(frame);

    return promise.finally(() => {
      signal?.removeEventListener('abort', onAbort);
      cancelTimer();
      this.#pending.delete(pending);
      awaited.forget(id);
    });
  }

  #routeTo(aspect: string): Route {
    const { hub, findName } = this.#deps;
    const route = hub.find(aspect);
    if (route) return route;
    const name = findName(aspect);
    if (name) throw new FrameRefused('not_registered', `${name} is not connected`);
    throw new FrameRefused('not_found', `there is no aspect ${aspect}`);
  }

  #encode(id: string, { name }: Route, request: Turn): OutboundFrame {
    const text = encodeFrame(Turn.kind, request, { id, target_aspect: name });
    const frame = new OutboundFrame(text);
    if (frame.bytes <= this.#maxFrameBytes) return frame;
    throw new FrameRefused('too_large', `a turn may have ${this.#maxFrameBytes} bytes in all`);
  }

  #cancel(id: string, { name, connection }: Route, reason: string): void {
    const payload = { request_id: id, reason };
    const text = encodeFrame(TurnCancel.kind, payload, { target_aspect: name });
    connection.send(new OutboundFrame(text));
  }

  #routeGone({ name, connection }: Route): void {
    for (const { route, fail } of this.#pending) {
      if (route.connection !== connection || nameKey(route.name) !== nameKey(name)) continue;
      fail(new FrameRefused('not_registered', `${name} went away before it answered`));
    }
  }

  #outcomeOf(aspect: string, { kind, payload }: Envelope): TurnOutcome {
    if (kind === TurnError.kind) {
      const { error } = this.#read(TurnError, payload, aspect);
      throw turnFailed(error || `${aspect} failed without saying why`);
    }
    if (kind !== TurnResult.kind)
      throw turnFailed(`${aspect} answered with a frame of another kind`);
    const answer = this.#read(TurnResult, payload, aspect);
    const { output = '', stop_reason: stopReason = '', entry_ids: entryIds = [] } = answer;
    const tokens = answer.tokens ?? { input: 0, output: 0, total: 0 };
    return { aspect, output, stopReason, tokens, entryIds };
  }

  /** As the codec, but what is wrong is the aspect's doing and not the caller's. */
  #read<D extends FrameDefinition>(definition: D, payload: unknown, aspect: string): PayloadOf<D> {
    try {
      return this.#deps.codec.check(definition, payload);
    } catch (cause) {
      throw turnFailed(`${aspect} did not answer properly: ${messageOf(cause)}`, { cause });
    }
  }
}

const turnFailed = (message: string, options?: ErrorOptions) =>
  new FrameRefused('turn_failed', message.slice(0, maxReasonLength), options);

import { nameKey } from '#shared/config/names';
import { encodeFrame } from '#shared/frames/envelope';
import { AspectStatusPulse } from '#shared/frames/status';
import type { Clock } from '#shared/sys/clock';
import { OutboundFrame } from '#shared/transport/frame-batch';
import type { Hub } from '../broker/hub.ts';
import { type Pulse, pulseOf } from './pulse.ts';

export interface StatusPulsesDeps {
  readonly hub: Hub;
  readonly clock: Clock;
  /** Least time between two pulses of one aspect. What comes sooner waits; the latest is sent. */
  readonly pulseEveryMs?: number;
}

/** An aspect whose last pulse is too young for another. */
interface Resting {
  /** The latest that came meanwhile. */
  next?: AspectStatusPulse;
}

/** Tells operators who subscribed what each aspect is doing. Memory only. */
export class StatusPulses {
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #pulseEveryMs: number;
  readonly #resting = new Map<string, Resting>();

  constructor({ hub, clock, pulseEveryMs = 500 }: StatusPulsesDeps) {
    this.#hub = hub;
    this.#clock = clock;
    this.#pulseEveryMs = pulseEveryMs;
  }

  /** Takes what an aspect said it is doing. The time is ours: aspects' clocks differ. */
  activity(aspect: string, type: string, payload: unknown): void {
    if (!this.#hub.hasSubscribers('status')) return;
    const pulse: Pulse = pulseOf(type, payload);
    const frame = { aspect, ...pulse, ts: new Date(this.#clock.now()).toISOString() };
    const resting = this.#resting.get(nameKey(aspect));
    if (resting) resting.next = frame;
    else this.#send(frame);
  }

  #send(pulse: AspectStatusPulse): void {
    this.#hub.publish('status', new OutboundFrame(encodeFrame(AspectStatusPulse.kind, pulse)));
    const key = nameKey(pulse.aspect);
    const resting: Resting = {};
    this.#resting.set(key, resting);
    this.#clock.after(this.#pulseEveryMs, () => {
      this.#resting.delete(key);
      if (resting.next) this.#send(resting.next);
    });
  }
}

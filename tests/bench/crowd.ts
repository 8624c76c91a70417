import { until, within } from './patience.ts';
import type { Dialled, DialPeer } from './peers/dial-peer.ts';

const patienceMs = 60_000;

/** Clients of one server that come and go together. */
export class Crowd {
  readonly #peer: DialPeer;
  readonly #openFilesBefore: number;
  #dialled: Dialled[] = [];

  /** Make it before anybody has dialled. */
  constructor(peer: DialPeer) {
    this.#peer = peer;
    this.#openFilesBefore = peer.server.openFiles();
  }

  /** Counts a client in that has dialled. */
  async join(dialling: Promise<Dialled>): Promise<Dialled> {
    const dialled = await dialling;
    this.#dialled.push(dialled);
    return dialled;
  }

  /** Does something for each client in turn, for some of them at the same time. Rejects if one fails. */
  each(clients: number, atOnce: number, act: (client: number) => Promise<void>): Promise<void> {
    let next = 0;
    const lane = async () => {
      while (next < clients) await act(next++);
    };
    const lanes = Array.from({ length: atOnce }, lane);
    const stuck = () =>
      `${this.#peer.name}: only ${this.#dialled.length} of ${clients} clients got in`;
    return within(
      patienceMs,
      stuck,
      Promise.all(lanes).then(() => undefined),
    );
  }

  /** Everybody hangs up; resolves when the server has noticed that all of them are gone. */
  async leave(): Promise<void> {
    for (const dialled of this.#dialled.splice(0)) dialled.hangUp();
    const { server, name } = this.#peer;
    const noticed = () => server.openFiles() <= this.#openFilesBefore;
    if (!(await until(patienceMs, noticed))) throw new Error(`${name} keeps sockets of the dead`);
  }
}

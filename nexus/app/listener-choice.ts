import { messageOf, systemCodeOf } from '#shared/errors';
import type { OpenListener } from '../gateway/listener.ts';
import { loadUws } from '../gateway/uws.ts';
import { UwsListener } from '../gateway/uws-listener.ts';
import { WsListener } from '../gateway/ws-listener.ts';
import { StartRefused } from './errors.ts';

/** What may serve sockets: `auto` is uWebSockets.js where it is installed, and else `ws`. */
const choices = ['ws', 'uws', 'auto'] as const;
export type TransportChoice = (typeof choices)[number];

/** Throws `StartRefused` for anything else. */
export function parseTransport(text: string): TransportChoice {
  const choice = choices.find((each) => each === text);
  if (choice) return choice;
  throw new StartRefused('start.transport', `--transport ${text}: it is ws, uws or auto`);
}

export interface ChosenListener {
  readonly name: 'ws' | 'uws';
  readonly open: OpenListener;
}

const wsListener: ChosenListener = { name: 'ws', open: (deps) => new WsListener(deps) };

/** Throws `StartRefused` when uWebSockets.js is asked for and cannot be loaded. */
export async function chooseListener(choice: TransportChoice): Promise<ChosenListener> {
  if (choice === 'ws') return wsListener;
  try {
    const uws = await loadUws();
    return { name: 'uws', open: (deps) => new UwsListener(uws, deps) };
  } catch (cause) {
    if (choice === 'auto') return wsListener;
    const why =
      systemCodeOf(cause) === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : messageOf(cause);
    throw new StartRefused(
      'start.transport',
      `--transport uws: uWebSockets.js ${why}; ` +
        'run npm install uWebSockets.js@npm:uws-pack beside nexus, or use --transport ws',
      { cause },
    );
  }
}

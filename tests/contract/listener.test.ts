import { loadUws, type Uws } from '#nexus/gateway/uws';
import { UwsListener } from '#nexus/gateway/uws-listener';
import { WsListener } from '#nexus/gateway/ws-listener';
import { messageOf } from '#shared/errors';
import { listenerContract } from './listener-contract.ts';

listenerContract('WsListener', (deps) => new WsListener(deps));

const uws: Uws | string = await loadUws().catch(messageOf);
listenerContract(
  'UwsListener',
  (deps) => {
    if (typeof uws === 'string') throw new Error(uws);
    return new UwsListener(uws, deps);
  },
  typeof uws === 'string' ? `uWebSockets.js cannot be loaded: ${uws}` : false,
);

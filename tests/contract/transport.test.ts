import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { operatorIdentity } from '#nexus/credentials/identity';
import { Admission } from '#nexus/gateway/admission';
import { ConnectionCaps } from '#nexus/gateway/connection-caps';
import type { OpenListener } from '#nexus/gateway/listener';
import { loadUws, type Uws } from '#nexus/gateway/uws';
import { UwsListener } from '#nexus/gateway/uws-listener';
import { WsListener } from '#nexus/gateway/ws-listener';
import { messageOf } from '#shared/errors';
import { systemClock } from '#shared/sys/clock';
import { silentLog } from '#shared/sys/log';
import { MemoryTransport } from '#shared/transport/memory-transport';
import type { Transport } from '#shared/transport/transport';
import { dial } from '#shared/transport/ws-dial';
import {
  type Link,
  type OpenLink,
  socketContract,
  transportContract,
  type WirePeer,
} from './transport-contract.ts';

/** A peer made of nothing but `ws`. */
function wirePeer(t: TestContext, socket: WebSocket): WirePeer {
  const received: string[] = [];
  const closes: string[] = [];
  socket.on('message', (data) => received.push(data.toString()));
  socket.on('close', (code, reason) => closes.push(`${code} ${reason}`));
  socket.on('error', () => undefined);
  t.after(() => socket.terminate());
  return {
    socket,
    received,
    closes,
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
  };
}

/** The broker's end of a socket that a listener accepted. */
function accepted(openListener: OpenListener): OpenLink<WirePeer> {
  return async (t) => {
    const transport = Promise.withResolvers<Transport>();
    const listener = openListener({
      clock: systemClock,
      admission: new Admission({
        authenticate: () => operatorIdentity,
        caps: new ConnectionCaps({ total: 1, perAddress: 1 }),
        log: silentLog,
      }),
      http: () => new Response('no routes here', { status: 404 }),
      accept: transport.resolve,
    });
    t.after(() => listener.close());
    const port = await listener.listen('127.0.0.1', 0);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/connect?token=any`, {
      perMessageDeflate: false,
    });
    const peer = wirePeer(t, socket);
    await once(socket, 'open');
    return { transport: await transport.promise, peer };
  };
}

/** The dialling end of a socket. */
const dialled: OpenLink<WirePeer> = async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => server.close());
  const connected = once(server, 'connection');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const transport = await dial(`http://127.0.0.1:${port}`, 'any');
  const [socket] = (await connected) as [WebSocket];
  return { transport, peer: wirePeer(t, socket) };
};

const inMemory: OpenLink = async (): Promise<Link> => {
  const [transport, theirs] = MemoryTransport.pair();
  const received: string[] = [];
  const closes: string[] = [];
  theirs.start({
    message: (text) => received.push(text),
    closed: (code, reason) => closes.push(`${code} ${reason}`),
  });
  const peer = {
    received,
    closes,
    send: (text: string) => theirs.send(text),
    close: (code: number, reason: string) => theirs.close(code, reason),
  };
  return { transport, peer };
};

transportContract('MemoryTransport', inMemory);

const ws = accepted((deps) => new WsListener(deps));
transportContract('WsTransport', ws);
socketContract('WsTransport', ws, { drains: true, probes: true, pauses: true });

const loaded: Uws | string = await loadUws().catch(messageOf);
const skip = typeof loaded === 'string' ? `uWebSockets.js cannot be loaded: ${loaded}` : false;
const uws = accepted((deps) => {
  if (typeof loaded === 'string') throw new Error(loaded);
  return new UwsListener(loaded, deps);
});
transportContract('UwsTransport', uws, skip);
socketContract('UwsTransport', uws, { drains: true, probes: true, pauses: false }, skip);

transportContract('the dialling end', dialled);
socketContract('the dialling end', dialled, { drains: false, probes: false, pauses: false });

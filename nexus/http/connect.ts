import type { Resource } from './app.ts';

/** What `/connect` says to a request that is no WebSocket upgrade (wire spec §1.5). */
export const connectRoute: Resource = (app) => {
  app.get('/connect', (c) => {
    c.header('Upgrade', 'websocket');
    return c.json({ error: 'connect with a WebSocket client' }, 426);
  });
  app.all('/connect', (c) => c.json({ error: 'method not allowed' }, 405));
};

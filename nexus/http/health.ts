import type { Resource } from './app.ts';

/** Whether the broker answers. Open to anyone, tells nothing else. */
export const healthRoutes: Resource = (app) => {
  app.get('/health', (c) => c.json({ status: 'ok' }));
};

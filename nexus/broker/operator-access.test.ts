import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { catalogue } from '#shared/frames/catalogue';
import { FrameCodec } from '#shared/frames/codec';
import { accessNeeded } from '#shared/frames/define';
import { FrameRefused } from '#shared/frames/errors';
import { silentLog } from '#shared/sys/log';
import { operatorWith } from '../credentials/identity.ts';
import { Connection } from './connection.ts';
import { aside } from './handler.ts';
import { Router } from './router.ts';
import { nowhere } from './test-kit.ts';

/** What looks only. Whoever adds a kind decides whether it does. */
const looking = new Set([
  'chat.list',
  'chat.reactions.fetch',
  'chat.read',
  'chat.replies',
  'knowledge.list',
  'knowledge.search',
  'roster.list',
  'session.entries',
  'session.list',
  'session.moves',
  'session.refresh',
  'shared.get',
  'shared.list',
  'subscribe.aspect_status',
  'subscribe.chat',
  'subscribe.observe',
  'subscribe.roster',
  'unsubscribe.aspect_status',
  'unsubscribe.chat',
  'unsubscribe.observe',
  'unsubscribe.roster',
]);

suite('what operators may send', () => {
  const forOperators = catalogue.filter(({ from }) => from.includes('operator'));
  const handlers = forOperators.map((definition) => aside(definition, () => undefined as never));
  const router = new Router({ codec: new FrameCodec(catalogue), handlers, log: silentLog });

  for (const access of ['viewer', 'operator', 'admin'] as const) {
    test(`of every kind, as ${access}`, () => {
      const identity = operatorWith({ account: 'ana', access });
      const connection = new Connection(1, identity, nowhere);
      for (const definition of forOperators) {
        const { kind } = definition;
        const mayLook = looking.has(kind);
        assert.equal(accessNeeded(definition), mayLook ? 'viewer' : 'operator', kind);
        const route = () => router.route({ kind }, connection);
        if (access !== 'viewer' || mayLook) assert.doesNotThrow(route, kind);
        else
          assert.throws(
            route,
            (error) => error instanceof FrameRefused && error.code === 'forbidden',
          );
      }
    });
  }
});

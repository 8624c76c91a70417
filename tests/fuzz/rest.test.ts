import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { catalogue } from '#shared/frames/catalogue';
import { startNexus } from '../integration/start-nexus.ts';
import { fitting, jsonSchema } from './fitting.ts';
import { runs, seed } from './fuzz-runs.ts';
import { hostileText, hostileValue } from './hostile.ts';
import { jsonText } from './json-text.ts';

const routes = [
  '/aspects/register',
  '/aspects/heartbeat',
  '/aspects/deregister',
  '/api/admin/tokens',
] as const;

const maxBodyBytes = 65_536;

const register = catalogue.find(({ kind }) => kind === 'register');
const body = fc.oneof(
  hostileText,
  fitting(jsonSchema(register?.payload ?? {})).map((value) => JSON.stringify(value)),
  fc
    .record({ name: hostileValue, session_id: hostileValue, provider: hostileValue })
    .map((value) => jsonText(value)),
);

suite('REST under hostile input', () => {
  test('answers with JSON and a status that says whose fault it is', async (t) => {
    const nexus = await startNexus(t);
    const tokens = [nexus.operatorToken(), await nexus.token('wren')];
    const property = fc.asyncProperty(
      fc.constantFrom(...routes),
      fc.constantFrom(...tokens),
      body,
      async (path, token, text) => {
        const response = await fetch(`${nexus.url}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, connection: 'close' },
          body: text,
        }).catch((error) => {
          // Refused at its length, the connection may be gone before the rest of it is sent.
          if (Buffer.byteLength(text) > maxBodyBytes) return undefined;
          throw error;
        });
        if (!response) return;
        const answer = (await response.json()) as { error?: string };
        assert.ok(response.status < 500, `${response.status} ${JSON.stringify(answer)}`);
        if (!response.ok) assert.ok(answer.error && answer.error.length <= 2_000);
        const list = await fetch(`${nexus.url}/aspects`, {
          headers: { authorization: `Bearer ${tokens[0]}`, connection: 'close' },
        });
        assert.equal(list.status, 200);
        await list.json();
      },
    );
    await fc.assert(property, { numRuns: runs(150), seed });
  });
});

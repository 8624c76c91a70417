import { after, before, suite, test } from 'node:test';
import { startNexus, type TestNexus } from '../../integration/start-nexus.ts';
import { checks } from './checks.ts';
import { Site, Skip } from './site.ts';

suite('conformance', () => {
  let nexus: TestNexus;
  const teardown: (() => unknown)[] = [];

  before(async () => {
    nexus = await startNexus({ after: (action) => void teardown.unshift(action as () => unknown) });
  });

  after(async () => {
    for (const action of teardown) await action();
  });

  for (const { section, title, run } of checks) {
    test(`${section}: ${title}`, async (t) => {
      const site = new Site({ url: nexus.url, token: nexus.operatorToken() });
      try {
        await run(site);
      } catch (error) {
        if (!(error instanceof Skip)) throw error;
        t.skip(error.message);
      } finally {
        await site.close();
      }
    });
  }
});

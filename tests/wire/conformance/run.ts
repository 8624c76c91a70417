// Puts a broker to every check of the wire protocol: `npm run conformance -- --help`.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '#shared/errors';
import { startNexus } from '../../integration/start-nexus.ts';
import type { Check } from './check.ts';
import { checks } from './checks.ts';
import { Site, type SiteOptions, Skip } from './site.ts';

const usage = `npm run conformance -- [options]

  --url URL           the broker, such as wss://host:7888; without it, one of ours is started
  --token TOKEN       the operator's token there; or
  --token-file FILE   a file that holds it
  --profile PROFILE   all, or reference: only what the Go Nexus v0.2.0 does too (all)
  --only TEXT         checks whose section or title contains this
  --insecure          accept a certificate that the system does not know
  --json              one JSON object a line

Exit code: 0 all checks passed or were skipped, 1 some failed, 2 wrong usage or
no way to connect.`;

type Outcome = { result: 'ok' } | { result: 'skipped' | 'failed'; reason: string };

async function outcomeOf(check: Check, options: SiteOptions): Promise<Outcome> {
  const site = new Site(options);
  try {
    await check.run(site);
    return { result: 'ok' };
  } catch (error) {
    return { result: error instanceof Skip ? 'skipped' : 'failed', reason: messageOf(error) };
  } finally {
    await site.close();
  }
}

async function runAll(options: SiteOptions, chosen: readonly Check[], json: boolean) {
  const counts = { ok: 0, skipped: 0, failed: 0 };
  for (const check of chosen) {
    const outcome = await outcomeOf(check, options);
    counts[outcome.result] += 1;
    const { section, title, profile } = check;
    if (json) {
      console.log(JSON.stringify({ section, title, profile, ...outcome }));
      continue;
    }
    console.log(`${outcome.result.padEnd(7)} ${section}: ${title}`);
    if (outcome.result !== 'ok') console.log(`        ${outcome.reason.split('\n')[0]}`);
  }
  if (json) console.log(JSON.stringify(counts));
  else console.log(`${counts.ok} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed > 0 ? 1 : 0;
}

/** Why the broker cannot be put to anything, if so. */
async function reach(options: SiteOptions): Promise<string | undefined> {
  const site = new Site(options);
  try {
    await site.connect();
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    await site.close();
  }
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string' },
      token: { type: 'string' },
      'token-file': { type: 'string' },
      profile: { type: 'string', default: 'all' },
      only: { type: 'string', default: '' },
      insecure: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { url, profile, only, insecure, json, help } = values;
  const file = values['token-file'];
  const token = values.token ?? (file ? readFileSync(file, 'utf8').trim() : undefined);
  if (profile !== 'all' && profile !== 'reference') {
    throw new Error(`--profile ${profile}: it is all or reference`);
  }
  if (url && !token) throw new Error('--url needs --token or --token-file');
  const chosen = checks.filter(
    (check) =>
      (profile === 'all' || check.profile === profile) &&
      `${check.section}: ${check.title}`.includes(only),
  );
  if (chosen.length === 0) throw new Error(`--only ${only}: no check is called so`);
  return { site: url && token ? { url, token, insecure } : undefined, chosen, json, help };
}

async function main(): Promise<void> {
  let asked: ReturnType<typeof parse>;
  try {
    asked = parse(process.argv.slice(2));
  } catch (error) {
    console.error(`conformance: ${messageOf(error)}; see --help`);
    process.exitCode = 2;
    return;
  }
  if (asked.help) {
    console.log(usage);
    return;
  }
  if (asked.site) {
    const problem = await reach(asked.site);
    if (problem) {
      console.error(`conformance: cannot connect to ${asked.site.url}: ${problem}`);
      process.exitCode = 2;
      return;
    }
    await runAll(asked.site, asked.chosen, asked.json);
    return;
  }
  const teardown: (() => unknown)[] = [];
  const nexus = await startNexus({ after: (end) => void teardown.unshift(end as () => unknown) });
  const own = { url: nexus.url, token: nexus.operatorToken() };
  await runAll(own, asked.chosen, asked.json);
  for (const end of teardown) await end();
}

await main();

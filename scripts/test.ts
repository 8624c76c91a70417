// Runs the tests: `npm test` all of them, `npm run test:unit` those beside the code and the quick
// ones, `npm run test:uws` those of the sockets once more, on uWebSockets.js. More arguments go to
// Node's test runner, file names among them.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';

const suites: Readonly<Record<string, readonly string[]>> = {
  unit: [
    'shared/**/*.test.ts',
    'nexus/**/*.test.ts',
    'runtime/**/*.test.ts',
    'scripts/**/*.test.ts',
    'tests/*.test.ts',
    'tests/bench/**/*.test.ts',
  ],
  uws: ['tests/integration/{access,durability,registration,rest,slow-reader,tls}.test.ts'],
  all: ['{shared,nexus,runtime,scripts}/**/*.test.ts', 'tests/**/*.test.ts'],
};

/** Settings of a suite; those that are set already win. */
const settings: Readonly<Record<string, NodeJS.ProcessEnv>> = {
  uws: { NEXUS_TEST_TRANSPORT: 'uws', NEXUS_KILL_ROUNDS: '3' },
};

const args = process.argv.slice(2);
const named = args[0] !== undefined && args[0] in suites ? args[0] : undefined;
const suite = named ?? 'all';
const rest = named === undefined ? args : args.slice(1);
const given = rest.filter((arg) => existsSync(arg));
const options = rest.filter((arg) => !existsSync(arg));
const files = given.length > 0 ? given : globSync([...(suites[suite] ?? [])]).sort();
// Live tests talk to real providers and are asked for by name only.
const offline = given.length > 0 ? files : files.filter((file) => !file.startsWith('tests/live/'));

const missing = suite === 'uws' ? await whyNoUws() : undefined;
if (missing) {
  console.log(`skipped: uWebSockets.js cannot be loaded: ${missing}`);
} else {
  const { status } = spawnSync(
    process.execPath,
    [...process.execArgv, '--test', '--test-reporter=spec', ...options, ...offline],
    { stdio: 'inherit', env: { ...settings[suite], ...process.env } },
  );
  process.exitCode = status ?? 1;
}

function whyNoUws(): Promise<string | undefined> {
  return import('uWebSockets.js').then(
    () => undefined,
    (error) => String(error).split('\n')[0],
  );
}

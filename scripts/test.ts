// Runs the tests: `npm test` all of them, `npm run test:unit` those beside the code and the quick
// ones. More arguments go to Node's test runner, file names among them.
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
  all: ['{shared,nexus,runtime,scripts}/**/*.test.ts', 'tests/**/*.test.ts'],
};

const args = process.argv.slice(2);
const suite = args[0] === 'unit' ? 'unit' : 'all';
const rest = args[0] === 'unit' ? args.slice(1) : args;
const named = rest.filter((arg) => existsSync(arg));
const options = rest.filter((arg) => !existsSync(arg));
const files = named.length > 0 ? named : globSync([...(suites[suite] ?? [])]).sort();
// Live tests talk to real providers and are asked for by name only.
const offline = named.length > 0 ? files : files.filter((file) => !file.startsWith('tests/live/'));

const { status } = spawnSync(
  process.execPath,
  [...process.execArgv, '--test', '--test-reporter=spec', ...options, ...offline],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 1;

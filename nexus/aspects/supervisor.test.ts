import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FakeClock } from '#shared/sys/fake-clock';
import { silentLog } from '#shared/sys/log';
import { type ProcessSpec, Supervisor } from './supervisor.ts';

const deadlineMs = 20_000;

/** Polls until it holds. */
async function eventually(holds: () => boolean, what: string): Promise<void> {
  const until = Date.now() + deadlineMs;
  while (!holds()) {
    assert.ok(Date.now() < until, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-supervisor-'));
  const clock = new FakeClock();
  const givenUp: string[][] = [];
  const supervisor = new Supervisor({
    clock,
    log: silentLog,
    onGivenUp: (...facts) => givenUp.push(facts),
  });
  t.after(async () => {
    const closed = supervisor.close();
    clock.advance(10_000);
    await closed;
    rmSync(folder, { recursive: true });
  });
  const logFile = join(folder, 'wren.log');
  const spec = (source: string, more: Partial<ProcessSpec> = {}): ProcessSpec => ({
    name: 'wren',
    command: process.execPath,
    args: ['-e', source],
    cwd: folder,
    env: {},
    logFile,
    ...more,
  });
  const lines = () =>
    existsSync(logFile) ? readFileSync(logFile, 'utf8').split('\n').filter(Boolean) : [];
  return { folder, clock, supervisor, givenUp, spec, lines };
}

suite('Supervisor', () => {
  test('restarts a process that crashed, after a wait', async (t) => {
    const { supervisor, spec, lines, clock, givenUp } = setUp(t);
    supervisor.start(spec('console.log("up", process.env.MARK); process.exit(1)'));
    await eventually(() => clock.pending === 1, 'a restart is due');
    assert.deepEqual(lines(), ['up undefined']);
    clock.advance(999);
    assert.equal(clock.pending, 1, 'a second at least');
    clock.advance(251);
    await eventually(() => lines().length === 2, 'a second start');
    assert.deepEqual(givenUp, []);
  });

  test('leaves one down that says its configuration is wrong, and tells its last line', async (t) => {
    const { supervisor, spec, givenUp, clock } = setUp(t);
    const source = 'console.error("no model"); console.log(""); process.exitCode = 2';
    supervisor.start(spec(source));
    await eventually(() => givenUp.length > 0, 'given up');
    assert.deepEqual(givenUp, [['wren', 'its configuration is wrong', 'no model']]);
    assert.equal(clock.pending, 0);
  });

  test('tries again when the program cannot even be started', async (t) => {
    const { supervisor, spec, clock, lines } = setUp(t);
    supervisor.start(spec('', { command: '/nowhere/program' }));
    await eventually(() => clock.pending === 1, 'a restart is due');
    await eventually(() => lines().some((line) => line.includes('ENOENT')), 'the reason');
  });

  test('passes the given environment and nothing else', async (t) => {
    const { supervisor, spec, lines } = setUp(t);
    const source =
      'console.log(Object.keys(process.env).filter((k) => !k.startsWith("NODE_CHANNEL")).join())';
    supervisor.start(spec(`${source}; setInterval(() => {}, 1000)`, { env: { MARK: '1' } }));
    await eventually(() => lines().length === 1, 'output');
    assert.deepEqual(lines(), ['MARK']);
  });

  test('asks with SIGTERM first and lets the process finish', async (t) => {
    const { supervisor, spec, lines, clock } = setUp(t);
    supervisor.start(
      spec(`process.on('SIGTERM', () => { console.log('goodbye'); process.exit(0); });
        setInterval(() => {}, 1000); console.log('ready');`),
    );
    await eventually(() => lines().includes('ready'), 'ready');
    await supervisor.close();
    await supervisor.close();
    await eventually(() => lines().includes('goodbye'), 'goodbye');
    assert.equal(clock.pending, 0, 'neither a kill nor a restart is due');
  });

  test('kills one that ignores SIGTERM after five seconds', async (t) => {
    const { supervisor, spec, lines, clock } = setUp(t);
    supervisor.start(
      spec(`process.on('SIGTERM', () => console.log('no'));
        setInterval(() => {}, 1000); console.log(process.pid);`),
    );
    await eventually(() => lines().length === 1, 'ready');
    const pid = Number(lines()[0]);
    const closed = supervisor.close();
    await eventually(() => lines().includes('no'), 'SIGTERM was seen');
    clock.advance(4_999);
    assert.ok(isAlive(pid));
    clock.advance(1);
    await closed;
    assert.equal(isAlive(pid), false);
  });

  test('does not wait for grandchildren that keep the pipes open', async (t) => {
    const { supervisor, spec, lines, clock } = setUp(t);
    supervisor.start(
      spec(`const { spawn } = require('node:child_process');
        const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'],
          { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
        console.log(child.pid); setInterval(() => {}, 1000);`),
    );
    await eventually(() => lines().length === 1, 'ready');
    const grandchild = Number(lines()[0]);
    t.after(() => process.kill(grandchild, 'SIGKILL'));
    const closed = supervisor.close();
    clock.advance(5_000);
    await closed;
  });

  test('a log that cannot be written costs its lines and nothing else', async (t) => {
    const { supervisor, spec, folder, givenUp } = setUp(t);
    const logFile = join(folder, 'no', 'such', 'folder.log');
    supervisor.start(spec('console.log("lost"); process.exitCode = 2', { logFile }));
    await eventually(() => givenUp.length > 0, 'given up');
    assert.deepEqual(givenUp[0]?.[2], 'lost');
  });

  test('the child notices when its supervisor’s process is killed', async (t) => {
    const { folder } = setUp(t);
    const pidFile = join(folder, 'pid');
    const child = `process.on('disconnect', () => process.exit(0));
      require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
      setInterval(() => {}, 1000);`;
    const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const program = join(folder, 'parent.mjs');
    writeFileSync(
      program,
      `import { Supervisor } from ${module('./supervisor.ts')};
       import { systemClock } from ${module('../../shared/sys/clock.ts')};
       import { silentLog } from ${module('../../shared/sys/log.ts')};
       new Supervisor({ clock: systemClock, log: silentLog, onGivenUp() {} }).start({
         name: 'wren', command: process.execPath, args: ['-e', ${JSON.stringify(child)}],
         cwd: ${JSON.stringify(folder)}, env: {}, logFile: ${JSON.stringify(join(folder, 'log'))},
       });`,
    );
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const parent = spawn(process.execPath, ['--conditions=nexus-source', program], { cwd });
    t.after(() => parent.kill('SIGKILL'));
    await eventually(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '', 'started');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const ended = once(parent, 'exit');
    parent.kill('SIGKILL');
    await ended;
    await eventually(() => !isAlive(pid), 'the child ended by itself');
  });
});

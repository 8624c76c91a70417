import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { eventually } from '../eventually.ts';
import { nexus, Place, plainEnv, program, up } from './nexus-process.ts';

const hasTmux = spawnSync('tmux', ['-V']).status === 0;
/** A tmux server of our own. */
const socket = `nexus-e2e-${process.pid}`;

function tmux(...args: string[]): string {
  // Started without TMUX, so that it may be run from within a tmux.
  const { TMUX: _, ...env } = plainEnv({ TERM: 'xterm' });
  return execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], {
    encoding: 'utf8',
    env,
  });
}

/** `nexus chat` at a terminal of 80 columns. */
class Terminal {
  readonly #name: string;

  constructor(place: Place, name: string) {
    this.#name = name;
    const command = [process.execPath, ...program, 'chat'].map((word) => `'${word}'`).join(' ');
    tmux('new-session', '-d', '-s', name, '-x', '80', '-y', '60', '-c', place.folder);
    this.type(`PS1='$ '; clear; ${command}; echo "exit code $?"`, 'Enter');
  }

  /** Types texts, or presses keys that tmux knows by name. */
  type(...keys: string[]): void {
    tmux('send-keys', '-t', this.#name, ...keys);
  }

  screen(): string {
    return tmux('capture-pane', '-p', '-t', this.#name).trimEnd();
  }

  async shows(pattern: RegExp): Promise<void> {
    await eventually(
      () => pattern.test(this.screen()),
      () => `${pattern} in:\n${this.screen()}`,
    );
  }
}

suite('the room at a terminal', { skip: hasTmux ? false : 'there is no tmux' }, () => {
  let place: Place;
  const closers: (() => Promise<void>)[] = [];
  before(async () => {
    place = new Place({ after: (close) => closers.push(close) });
    await up(place);
  });
  after(async () => {
    spawnSync('tmux', ['-L', socket, 'kill-server']);
    await Promise.all(closers.map((close) => close()));
  });

  test('prompts, posts what is typed, shows the answer, and leaves with /quit', async () => {
    const terminal = new Terminal(place, 'talk');
    await terminal.shows(/Ctrl-D\)\n>$/);
    terminal.type('@wren what do you think of a cache?', 'Enter');
    await terminal.shows(/^operator \d+ {2}@wren what[\s\S]*^wren \d+→\d+ {2}\S[\s\S]*\n>$/m);
    terminal.type('/who', 'Enter');
    await terminal.shows(
      /^NAME +STATUS[\s\S]*^anvil +live[\s\S]*^keel \(frame\) +live[\s\S]*^wren +live/m,
    );
    terminal.type('/dance', 'Enter');
    await terminal.shows(/\/dance\nType to post;/);
    terminal.type('/reply 999999 @wren are you there?', 'Enter');
    await terminal.shows(/^there is no message 999999; posted at top level$/m);
    terminal.type('/quit', 'Enter');
    await terminal.shows(/\/quit\n+exit code 0$/m);
  });

  test('keeps what is being typed, also over several rows, below what arrives', async () => {
    const terminal = new Terminal(place, 'typing');
    await terminal.shows(/Ctrl-D\)\n>$/);
    const typed = `${'word '.repeat(30)}end`;
    terminal.type(typed);
    await terminal.shows(/end$/);
    const { stdout } = await nexus(place, ['chat', '--json', '@wren what about logs?']);
    const { id, content } = JSON.parse(stdout) as { id: number; content: string };
    await terminal.shows(new RegExp(`^wren ${id}→`, 'm'));
    const screen = terminal.screen();
    const flat = (text: string) => text.replace(/\s/g, '');
    assert.equal(flat(screen).split(flat(typed)).length, 2, `what is typed, once:\n${screen}`);
    assert.equal(flat(screen).split(flat(content)).length, 2, `the whole answer:\n${screen}`);
    assert.match(screen, /^> word [\s\S]*end$/m);
    terminal.type('C-c');
    await terminal.shows(/end\n+exit code 0$/m);
  });

  test('ends with Ctrl-D, and the shell begins on a line of its own', async () => {
    const terminal = new Terminal(place, 'leaving');
    await terminal.shows(/Ctrl-D\)\n>$/m);
    terminal.type('C-d');
    await terminal.shows(/^>\n+exit code 0$/m);
  });
});

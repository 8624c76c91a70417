import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { suite, test } from 'node:test';
import { readBundle } from './bundle-input.ts';
import { askLine } from './hidden-prompt.ts';

/** A terminal as a test sees it: what is typed goes in, what is shown comes out. */
function terminal() {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  const output = new PassThrough();
  const shown = () => String(output.read() ?? '');
  return { input, output, shown };
}

suite('a question at the terminal', () => {
  test('shows what is typed, unless it is a secret', async () => {
    const { input, output, shown } = terminal();
    const open = askLine('user: ', { input, output }, { hidden: false });
    input.write('wren\r');
    assert.equal(await open, 'wren');
    assert.match(shown(), /user: .*wren/s);

    const hidden = askLine('password: ', { input, output }, { hidden: true });
    input.write('hun');
    input.write('terr\u007f2\r');
    assert.equal(await hidden, 'hunter2');
    assert.equal(shown(), 'password: \n');
  });

  test('is given up with Ctrl-C and Ctrl-D', async () => {
    for (const key of ['\u0003', '\u0004']) {
      const { input, output } = terminal();
      const asked = askLine('password: ', { input, output }, { hidden: true });
      input.write(`abc${key === '\u0004' ? '\u0015' : ''}${key}`);
      await assert.rejects(asked, { code: 'operator.no_input' });
    }
  });
});

suite('a bundle', () => {
  test('is asked for, member by member, when nothing else gives it', async () => {
    const { input, output, shown } = terminal();
    const bundle = readBundle({ kind: 'imap', terminal: { input, output } });
    for (const answer of ['mail.test', 'wren', 'hunter2']) {
      await new Promise((resolve) => output.once('readable', resolve));
      input.write(`${answer}\r`);
    }
    assert.deepEqual(await bundle, { host: 'mail.test', user: 'wren', password: 'hunter2' });
    const text = shown();
    assert.match(text, /host: .*wren.*password \(unseen\): \n$/s);
    assert.ok(!text.includes('hunter2'));
  });

  test('is JSON on standard input, and what is none is not repeated', async () => {
    const from = (text: string) => {
      const input = Object.assign(new PassThrough(), { isTTY: false });
      input.end(text);
      return readBundle({ terminal: { input, output: new PassThrough() } });
    };
    assert.deepEqual(await from('{"key":"é"}\n'), { key: 'é' });
    for (const text of ['', 'hunter2', '["hunter2"]', '"hunter2"', 'null', '{"key":"hunter2"']) {
      const refusal = await from(text).catch((error: unknown) => error);
      assert.ok(refusal instanceof Error && !refusal.message.includes('hunter2'), text);
    }
    await assert.rejects(from(`{"a":"${'x'.repeat(130_000)}"}`), /too long/);
  });

  test('needs a kind to be asked for, and a file that is there', async () => {
    const { input, output } = terminal();
    await assert.rejects(readBundle({ terminal: { input, output } }), /--kind/);
    const absent = readBundle({ file: '/nowhere/bundle.json', terminal: { input, output } });
    await assert.rejects(absent, { code: 'operator.no_input', message: /cannot read/ });
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type Placeholder, placeholdersIn, substitute } from './placeholders.ts';

/** How a placeholder is written. */
const of = (inside: string): string => `\${credential:${inside}}`;

/** The JSON of a profile whose only text is this. */
const profile = (text: string): string => JSON.stringify({ env: { TOKEN: text } });
const filled = (text: string, fill: (placeholder: Placeholder) => string): unknown =>
  (JSON.parse(substitute(profile(text), fill)) as { env: { TOKEN: unknown } }).env.TOKEN;

const untouched = (): string => assert.fail('nothing is to be filled in');

suite('placeholders', () => {
  test('are filled in wherever they stand in a text', () => {
    const text = `Basic ${of('a.user')}:${of('a.key')}${of('b.key')}!`;
    const fill = ({ credential, field }: Placeholder) => `<${credential}|${field}>`;
    assert.equal(filled(text, fill), 'Basic <a|user>:<a|key><b|key>!');
  });

  test('have their field behind the last dot', () => {
    assert.deepEqual(placeholdersIn(profile(of('work.jira.v2.token'))), [
      { credential: 'work.jira.v2', field: 'token' },
    ]);
    assert.deepEqual(placeholdersIn(profile(of('a..b'))), [{ credential: 'a.', field: 'b' }]);
  });

  test('are malformed without a dot, a name, a field or an end, and with a quote or newline', () => {
    const opened = of('a.b').slice(0, -1);
    const malformed = ['', 'a', '.b', 'a.', '.', 'a".b', 'a.b"', 'a\n.b', 'a.\rb'].map(of);
    for (const text of [...malformed, opened, `${opened} ${of('c.d')}`]) {
      const refused = () => placeholdersIn(profile(text));
      assert.throws(refused, { code: 'bad_request', message: /malformed placeholder/ }, text);
    }
  });

  test('are none when they only look alike', () => {
    for (const text of ['$credential:a.b', `\${env:A}`, '{credential:a.b}', '$ {credential:a.b}']) {
      assert.equal(filled(text, untouched), text);
    }
  });

  test('count wherever JSON can hide them, but not in the names of members', () => {
    const escaped = `{"a":"\\u0024{credential:x.y}","${of('n.n')}" : 1,"b":["${of('p.q')}"]}`;
    const found = placeholdersIn(escaped);
    assert.deepEqual(found, [
      { credential: 'x', field: 'y' },
      { credential: 'p', field: 'q' },
    ]);
    assert.equal(
      substitute(escaped, () => 'v'),
      `{"a":"v","${of('n.n')}" : 1,"b":["v"]}`,
    );
  });

  test('may stand for quotes, newlines and anything else: it stays within its string', () => {
    const nasty = [
      '","admin":true,"x":"',
      '\\',
      'a\nb\u0000\u2028',
      '😀é',
      '$&$1',
      '\ud800',
      of('a.b'),
    ];
    for (const value of nasty) {
      assert.equal(
        filled(`<${of('a.b')}>`, () => value),
        `<${value}>`,
      );
    }
  });

  test('leave everything else as it was, to the byte', () => {
    const text = `{ "n": 12345678901234567890.10, "dup":1,"dup":2,\n "é": "\\u00e9", "t":"${of('a.b')}" }`;
    assert.equal(
      substitute(text, () => 'v'),
      text.replace(of('a.b'), 'v'),
    );
  });

  test('are at most 256, in JSON of any depth', () => {
    const many = (count: number) => JSON.stringify(Array(count).fill(of('a.b')));
    assert.equal(placeholdersIn(many(256)).length, 256);
    assert.throws(() => placeholdersIn(many(257)), { code: 'bad_request' });
    const depth = 120_000;
    const deep = `${'['.repeat(depth)}"${of('a.b')}"${']'.repeat(depth)}`;
    assert.equal(placeholdersIn(deep).length, 1);
  });

  test('need JSON, and a refusal does not quote it', () => {
    for (const text of ['', 'hunter2-secret', '{"a":}', `"${of('a.b')}`]) {
      assert.throws(() => substitute(text, untouched), {
        code: 'bad_request',
        message: 'the profile is not JSON',
      });
    }
  });

  test('give the same as walking the parsed profile does, whatever is in it', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('${', '}', '"', '\\', ':', of('a.b'), of('c.d.e'), '${credential'),
    );
    const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        text,
        fc.double(),
        fc.boolean(),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('tree'), { maxLength: 4 }),
      map: fc.dictionary(text, tie('tree'), { maxKeys: 4 }),
    }));
    fc.assert(
      fc.property(
        tree,
        fc.string({ unit: 'binary' }),
        fc.constantFrom(0, 1, '\t'),
        (value, secret, indent) => {
          const json = JSON.stringify(value, undefined, indent) ?? 'null';
          const expected = outcome(() => walked(JSON.parse(json), secret));
          const actual = outcome(() => JSON.parse(substitute(json, () => secret)) as unknown);
          assert.deepEqual(actual, expected);
        },
      ),
    );
  });
});

/** The result, or that there is none. */
function outcome(run: () => unknown): unknown {
  try {
    return { result: run() };
  } catch {
    return 'malformed';
  }
}

/** Another way to the same: every string of a parsed profile, character by character. */
function walked(value: unknown, secret: string): unknown {
  if (typeof value === 'string') return spelled(value, secret);
  if (Array.isArray(value)) return value.map((each) => walked(each, secret));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, walked(each, secret)]),
  );
}

function spelled(text: string, secret: string): string {
  const at = text.indexOf('${credential:');
  if (at < 0) return text;
  const end = text.indexOf('}', at);
  const inside = text.slice(at + '${credential:'.length, end);
  const wellFormed = /^[^"\r\n]+\.[^".\r\n]+$/.test(inside) && !inside.includes('${credential:');
  if (end < 0 || !wellFormed) throw new Error('malformed');
  return text.slice(0, at) + secret + spelled(text.slice(end + 1), secret);
}

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { TSchema } from 'typebox';
import { catalogue } from '#shared/frames/catalogue';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** A file's text; runs of spaces, which only align tables, read as one. */
const read = (path: string): string => readFileSync(join(root, path), 'utf8').replace(/ +/g, ' ');
const files = (...patterns: string[]): string[] => globSync(patterns, { cwd: root }).sort();

const sources = files('{shared,nexus,runtime}/**/*.ts').filter(
  (path) => !path.endsWith('.test.ts'),
);

/** The project's own files that a source imports, relative to the root. */
function importsOf(path: string): string[] {
  const specifiers = read(path).matchAll(/(?:from|import)\s*\(?\s*'(?<name>[.#][^']*)'/g);
  return [...specifiers].map((match) => {
    const name = match.groups?.['name'] ?? '';
    return name.startsWith('#')
      ? `${name.slice(1)}.ts`
      : relative(root, join(root, dirname(path), name));
  });
}

const areaOf = (path: string): string => path.split('/')[0] ?? '';
const folderOf = (path: string): string => path.split('/').slice(0, 2).join('/');

suite('arrows', () => {
  const imports = new Map(sources.map((path) => [path, importsOf(path)]));
  const edges = [...imports].flatMap(([from, to]) => to.map((target) => [from, target] as const));

  test('every import of ours names a file that exists', () => {
    const known = new Set(sources);
    assert.deepEqual(
      edges.filter(([, to]) => !known.has(to)),
      [],
    );
  });

  test('shared imports nothing of ours', () => {
    assert.deepEqual(
      edges.filter(([from, to]) => areaOf(from) === 'shared' && areaOf(to) !== 'shared'),
      [],
    );
  });

  test('nexus and runtime never import each other, except for the programs in nexus/cmd', () => {
    const crossing = edges.filter(([from, to]) => {
      const areas = [areaOf(from), areaOf(to)].sort().join(' ');
      return areas === 'nexus runtime' && folderOf(from) !== 'nexus/cmd';
    });
    assert.deepEqual(crossing, []);
  });

  test('nothing imports a program, and only programs import what wires everything', () => {
    const upwards = edges.filter(([from, to]) => {
      if (folderOf(from) === folderOf(to)) return false;
      if (folderOf(to).endsWith('/cmd')) return true;
      return folderOf(to) === 'nexus/app' && folderOf(from) !== 'nexus/cmd';
    });
    assert.deepEqual(upwards, []);
  });

  test('there is no cycle', () => {
    const finished = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      const seenAt = trail.indexOf(path);
      if (seenAt >= 0) assert.fail(`cycle: ${[...trail.slice(seenAt), path].join(' → ')}`);
      if (finished.has(path)) return;
      for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
      finished.add(path);
    };
    for (const path of sources) visit(path, []);
  });

  test('programs are thin: flags in, exit code out', () => {
    const long = files('{nexus,runtime}/cmd/*.ts').filter(
      (path) => read(path).split('\n').length > 130,
    );
    assert.deepEqual(long, []);
  });
});

suite('frame kinds', () => {
  const rows = new Map(
    [
      ...read('docs/protocol.md').matchAll(
        /^\| `(?<kind>[a-z_.]+)` +\|(?<rest> (?:aspect|admin|operator|outpost|broker).*)\|$/gm,
      ),
    ].map((match) => [match.groups?.['kind'] ?? '', match.groups?.['rest'] ?? '']),
  );
  const wireTests = files('tests/wire/*.test.ts').map(read).join('\n');

  for (const { kind, from, reply, payload } of catalogue) {
    test(`${kind} has a true row in docs/protocol.md`, () => {
      const [senders = '', answer = '', fields = ''] = (rows.get(kind) ?? '').split('|');
      assert.ok(rows.has(kind), `no row for ${kind}`);
      assert.deepEqual(senders.trim().split(', '), [...from]);
      if (reply === 'none') assert.match(answer, /^ none /);
      else assert.ok(answer.includes(`\`${reply.kind}\``), `answer of ${kind}: ${answer}`);
      for (const [name, optional] of membersOf(payload)) {
        assert.ok(fields.includes(`\`${name}${optional ? '?' : ''}\``), `${kind} lacks ${name}`);
      }
    });

    test(`${kind} has a test with literal frames`, () => {
      assert.ok(wireTests.includes(`'${kind}'`), `no test in tests/wire names '${kind}'`);
    });
  }

  test('docs/protocol.md lists no kind that does not exist', () => {
    const kinds = new Set(catalogue.map(({ kind }) => kind));
    assert.deepEqual(
      [...rows.keys()].filter((kind) => !kinds.has(kind)),
      [],
    );
  });

  test('nothing but the definitions names a kind in the source', () => {
    const named = sources
      .filter((path) => !path.startsWith('shared/frames/'))
      .flatMap((path) =>
        catalogue.flatMap(({ kind }) =>
          read(path).includes(`'${kind}'`) ? [`${path}: ${kind}`] : [],
        ),
      );
    assert.deepEqual(named, []);
  });
});

/** Member names of an object schema, and whether each is optional. */
function membersOf(schema: TSchema): [string, boolean][] {
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, TSchema>;
    required?: string[];
  };
  return Object.keys(properties).map((name) => [name, !required.includes(name)]);
}

suite('error codes', () => {
  const documented = new Set(
    [...read('docs/errors.md').matchAll(/^\| `(?<code>[a-z_.]+)` +\|/gm)].map(
      (match) => match.groups?.['code'] ?? '',
    ),
  );
  const inCode = new Set(
    sources
      .filter((path) => /errors?\.ts$|provider\.ts$|main\.ts$|aspect-json\.ts$/.test(path))
      .flatMap(codesIn),
  );

  test('every code in the source is in docs/errors.md, and the other way round', () => {
    assert.deepEqual(
      [...inCode].filter((code) => !documented.has(code)),
      [],
      'not documented',
    );
    assert.deepEqual(
      [...documented].filter((code) => !inCode.has(code)),
      [],
      'not in the source',
    );
  });
});

/** The literals of the `…ErrorCode` unions, of `NexusError<…>` and of `Refusal<…>` in a file. */
function codesIn(path: string): string[] {
  const text = read(path)
    .replaceAll(/\/\*\*?.*?\*\//gs, '')
    .replaceAll(/\/\/.*$/gm, '');
  const unions = text.matchAll(
    /type \w*ErrorCode =(?<body>[^;]*);|(?:NexusError|Refusal)<(?<body2>'[^>]*)>/g,
  );
  return [...unions].flatMap(({ groups }) =>
    [...(groups?.['body'] ?? groups?.['body2'] ?? '').matchAll(/'([a-z_.]+)'/g)].map(
      ([, code = '']) => code,
    ),
  );
}

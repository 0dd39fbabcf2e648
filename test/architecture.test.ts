/** Which part may know which, and what only one place may touch. ARCHITECTURE.md draws the same picture for people. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SRC = join(ROOT, 'src');

/** Part of `src` → parts that it may import besides itself. A file at the top of `src` is a part of its own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  config: ['domain'],
  postgres: ['domain'],
  catalog: ['domain', 'postgres'],
  planner: ['domain'],
  executor: ['domain', 'postgres'],
  report: ['domain'],
  jobs: ['domain', 'planner'],
  'observe.ts': ['domain', 'postgres', 'catalog', 'report'],
  ledger: ['domain', 'postgres', 'executor', 'report'],
  'run-verdict.ts': ['domain', 'report'],
  'run-job.ts': ['domain', 'postgres', 'executor', 'jobs', 'ledger', 'report', 'observe.ts', 'run-verdict.ts'],
  queue: ['domain', 'config', 'postgres', 'jobs', 'ledger', 'report', 'schema', 'run-job.ts', 'schedule'],
  schedule: ['domain', 'config', 'jobs', 'report', 'observe.ts', 'run-job.ts'],
  status: [
    'domain',
    'config',
    'postgres',
    'executor',
    'jobs',
    'ledger',
    'observe.ts',
    'report',
    'schedule',
    'version.ts',
  ],
  page: ['report', 'status'],
  http: ['domain', 'report', 'status', 'page'],
  schema: ['domain', 'postgres'],
  demo: ['domain', 'postgres', 'schema'],
  'version.ts': [],
  'app.ts': ['domain', 'config', 'ledger', 'postgres', 'report', 'run-job.ts', 'schedule', 'version.ts'],
  'reload.ts': ['domain', 'config', 'app.ts'],
  'triggers.ts': ['domain', 'config', 'http', 'queue', 'report', 'reload.ts'],
  'daemon.ts': [
    'domain',
    'http',
    'queue',
    'report',
    'observe.ts',
    'run-job.ts',
    'schedule',
    'status',
    'reload.ts',
    'triggers.ts',
  ],
  cli: [
    'domain',
    'config',
    'postgres',
    'executor',
    'http',
    'jobs',
    'ledger',
    'queue',
    'report',
    'schedule',
    'schema',
    'demo',
    'observe.ts',
    'run-job.ts',
    'app.ts',
    'reload.ts',
    'daemon.ts',
    'version.ts',
  ],
  'main.ts': ['cli'],
  'index.ts': ['domain', 'config', 'executor', 'jobs', 'queue', 'report', 'observe.ts', 'run-job.ts', 'app.ts'],
};

/** What only the named places may use, so that everything else is decided by its arguments. */
const ONLY_IN: readonly { readonly what: string; readonly pattern: RegExp; readonly allowed: RegExp }[] = [
  {
    what: 'the database driver',
    pattern: /from 'pg'/,
    allowed: /^(postgres\/|schema\/|demo\/|queue\/(install|remove|grants)\.ts|cli\/migrate\.ts)/,
  },
  { what: 'a wall clock', pattern: /\bDate\.now\(|\bnew Date\(\)|\bTemporal\.Now\b/, allowed: /^app\.ts$/ },
  { what: 'chance', pattern: /\bMath\.random\b|\brandomUUID\b/, allowed: /^app\.ts$/ },
  { what: 'the environment', pattern: /\bprocess\.env\b/, allowed: /^(main\.ts|demo\/server-)/ },
  { what: 'the console', pattern: /\bconsole\./, allowed: /^$/ },
  { what: 'signal handlers', pattern: /\bprocess\.on\('SIG|\bprocess\.on\(signal/, allowed: /^main\.ts$/ },
];

const MAX_LINES = 300;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => ({ name, text: readFileSync(join(SRC, name), 'utf8') }));

const partOf = (file: string): string => file.split('/')[0] ?? file;

const importsOf = ({ name, text }: { readonly name: string; readonly text: string }): readonly string[] =>
  [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, target = '']) =>
    relative(SRC, resolve(SRC, dirname(name), target)),
  );

test('every part of src is in the picture, and nothing is in the picture that is not in src', () => {
  expect(new Set(files.map(({ name }) => partOf(name)))).toEqual(new Set(Object.keys(MAY_IMPORT)));
});

test('the picture has no way back', () => {
  const visit = (part: string, path: readonly string[]): void => {
    expect(path, `${[...path, part].join(' → ')} is a circle`).not.toContain(part);
    for (const next of MAY_IMPORT[part] ?? []) visit(next, [...path, part]);
  };
  for (const part of Object.keys(MAY_IMPORT)) visit(part, []);
});

describe.each(files)('src/$name', file => {
  test('imports only what its part may know', () => {
    const part = partOf(file.name);
    const forbidden = importsOf(file).filter(
      target => partOf(target) !== part && !MAY_IMPORT[part]?.includes(partOf(target)),
    );
    expect(forbidden).toEqual([]);
  });

  test('touches only what its place may touch', () => {
    const touched = ONLY_IN.filter(({ pattern, allowed }) => pattern.test(file.text) && !allowed.test(file.name)).map(
      ({ what }) => what,
    );
    expect(touched).toEqual([]);
  });

  test(`is one room: at most ${MAX_LINES} lines`, () => {
    expect(file.text.split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  });
});

test('ARCHITECTURE.md names every part, and only tests that exist', () => {
  const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  const parts = Object.keys(MAY_IMPORT).filter(part => part !== 'version.ts');
  expect(parts.filter(part => !text.includes(`src/${part}`))).toEqual([]);
  const named = [...text.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter(file => !existsSync(join(ROOT, file)))).toEqual([]);
});

// At the top it would change the very test that it is called on, for all files that share the process and all that import it.
test('a fixture is overridden within a describe only; a file has a test of its own by extend', () => {
  const isOverriddenAtTheTop = (name: string): boolean =>
    /^(?:\S.*| {0,2})\.override\(/m.test(readFileSync(join(ROOT, 'test', name), 'utf8'));
  const sources = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' });
  expect(sources.filter(name => name.endsWith('.ts') && isOverriddenAtTheTop(name))).toEqual([]);
});

test('npm run test:stress runs every test that has a long form', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const words: readonly string[] = scripts['test:stress'].split(' ').slice(3);
  const withLongForm = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .filter(name => /^import .*\/stress\.ts'/m.test(readFileSync(join(ROOT, 'test', name), 'utf8')));
  expect(words.toSorted()).toEqual(withLongForm.map(name => name.replace('.test.ts', '')).toSorted());
});

/** The configurations that people start from: each does what it says on a real server, and leaves nothing to be done. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { partkeeperTest } from '../support/partkeeper.ts';
import { change } from '../support/tables.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const names = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(({ name }) => name);
const test = partkeeperTest.extend('template', 'bookkeeping');

describe('the example', () => {
  test.for(names)('%s is in order after its first round', async (name, { database, open }) => {
    await change(database, readFileSync(join(EXAMPLES, name, 'schema.sql'), 'utf8'));
    const { tables, views } = loadConfig({
      flags: { config: join(EXAMPLES, name, 'partkeeper.yaml'), databaseUrl: database.url },
      env: {},
      cwd: EXAMPLES,
      isTerminal: false,
    });
    const partkeeper = open({ tables: tables.map(({ policy }) => policy), views: views.map(({ policy }) => policy) });
    const reports = await partkeeper.apply();
    expect(reports.filter(({ outcome }) => outcome !== 'success')).toEqual([]);
    // Nothing that asks anybody for anything.
    expect(reports.flatMap(({ findings }) => findings).filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(reports.reduce((sum, { done }) => sum + done, 0)).toBeGreaterThan(1);
    expect(await partkeeper.plan()).toMatchObject({ actions: [] });
  });

  test('of the readme is one of them', () => {
    const readme = readFileSync(join(EXAMPLES, 'README.md'), 'utf8');
    const listed = [...readme.matchAll(/^\| \[([a-z-]+)\]\(\1\)/gm)].map(([, name]) => name);
    expect(new Set(listed)).toEqual(new Set(names));
  });
});

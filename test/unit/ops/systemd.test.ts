/** ops/systemd/partkeeper.service, held to what systemd says of it, where there is one, and to what we promise. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readOps } from '../../support/ops.ts';

const unit = readOps('systemd/partkeeper.service');
const valuesOf = (key: string): readonly string[] =>
  unit
    .split('\n')
    .filter(line => line.startsWith(`${key}=`))
    .map(line => line.slice(key.length + 1));

const analyze = (...args: readonly string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
const hasSystemd = analyze('--version').status === 0;

/** With a program that is there, which ours need not be. */
function unitFile(text = unit): string {
  const folder = mkdtempSync(join(tmpdir(), 'partkeeper-unit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'partkeeper.service');
  writeFileSync(file, text.replace('ExecStart=partkeeper', 'ExecStart=/bin/true'));
  return file;
}

describe.runIf(hasSystemd)('systemd', () => {
  test('has nothing to say against the unit', () => {
    const { status, stdout, stderr } = analyze('verify', unitFile());
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
  });

  test('would say so', () => {
    const { stderr } = analyze('verify', unitFile(unit.replace('RestartSec=5', 'RestartSex=5')));
    expect(stderr).toContain('RestartSex');
  });

  test('calls it well protected', () => {
    // Of 10, in tenths: below 2 is as good as it gets for what needs the network.
    const { status } = analyze('security', '--offline=true', '--threshold=20', '--no-pager', unitFile());
    expect(status).toBe(0);
  });
});

test('it starts the service, gives it its secret as a file, and lets it end by itself', () => {
  expect(valuesOf('ExecStart')).toEqual(['partkeeper run']);
  expect(valuesOf('ExecReload')).toEqual(['kill -HUP $MAINPID']);
  const [credential = ''] = valuesOf('LoadCredential').map(value => value.split(':')[0]);
  expect(valuesOf('Environment')).toContain(`DATABASE_URL_FILE=%d/${credential}`);
  expect(Number(valuesOf('TimeoutStopSec')[0])).toBeGreaterThan(20);
  expect(valuesOf('Restart')).toEqual(['always']);
});

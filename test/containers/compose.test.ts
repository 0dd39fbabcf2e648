/** docker-compose.yml as a stranger starts it: one command, and everything is looked after. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitUntil } from '../support/client.ts';
import { type ComposeProject, openComposeProject } from '../support/compose.ts';
import { docker } from '../support/docker.ts';
import { rules } from '../support/ops.ts';

const PATIENCE_MS = 90_000;

let project: ComposeProject;
beforeAll(async () => {
  project = await openComposeProject();
  await project.compose('up', '--detach', '--no-build');
});
afterAll(() => project.remove());

const psql = (sql: string): Promise<string> =>
  project.compose('exec', '-T', 'postgres', 'psql', '-U', 'postgres', '-d', 'app', '-Atc', sql);

async function readiness(): Promise<number> {
  return fetch(`${project.address.partkeeper}/readyz`).then(
    ({ status }) => status,
    () => 0,
  );
}

async function askPrometheus<T>(path: string): Promise<T> {
  const response = await fetch(`${project.address.prometheus}/api/v1/${path}`);
  return ((await response.json()) as { readonly data: T }).data;
}

interface Found {
  readonly result: readonly { readonly value: readonly [number, string] }[];
}
const query = (expression: string): Promise<Found['result']> =>
  askPrometheus<Found>(`query?query=${encodeURIComponent(expression)}`).then(
    ({ result }) => result,
    () => [],
  );

const ready = (code: number) =>
  waitUntil(async () => (await readiness()) === code, { deadlineMs: PATIENCE_MS, what: `/readyz to say ${code}` });

describe('docker-compose.yml', () => {
  test('has every service healthy, and the one that migrates done', async () => {
    const states = async () => {
      const ids = await Promise.all(['postgres', 'partkeeper', 'prometheus'].map(project.idOf));
      return Promise.all(ids.map(id => docker('inspect', '--format', '{{.State.Health.Status}}', id)));
    };
    await waitUntil(async () => (await states()).every(state => state === 'healthy'), {
      deadlineMs: PATIENCE_MS,
      what: 'every service to be healthy',
    });
    const migrate = await project.compose('ps', '--all', '-q', 'migrate');
    expect(await docker('inspect', '--format', '{{.State.ExitCode}}', migrate)).toBe('0');
  });

  test('maintains the bundled schema, and has it on record', async () => {
    await ready(200);
    const isDone = `select count(distinct (job, target)) = 4 from partkeeper.runs where outcome = 'success'
      and (job, target) in (('provision', 'unified.event_metric_events'), ('refresh', 'unified.mv_recent_events'),
        ('refresh', 'unified.mv_error_summary'), ('refresh', 'unified.mv_performance_metrics'))`;
    await waitUntil(async () => (await psql(isDone)) === 't', { deadlineMs: PATIENCE_MS, what: 'the first runs' });
    const partitions = `select count(*) from pg_inherits where inhparent = 'unified.event_metric_events'::regclass`;
    // The current month, and two ahead at least.
    expect(Number(await psql(partitions))).toBeGreaterThanOrEqual(3);
    const { code, stdout } = await project.tryCompose(
      'exec',
      '-T',
      'partkeeper',
      'partkeeper',
      'plan',
      '--check',
      '--job',
      'provision',
    );
    expect({ code, stdout }).toMatchObject({ code: 0 });
  });

  test('gives the service no more than it needs', async () => {
    const id = await project.idOf('partkeeper');
    const [inspected] = JSON.parse(await docker('inspect', id));
    expect(inspected.HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Memory: 192 * 2 ** 20,
    });
    const write = `try { require('fs').writeFileSync('/opt/partkeeper/x', ''); 'written' } catch (error) { error.code }`;
    expect(await docker('exec', id, 'node', '-p', write)).toBe('EROFS');
    expect(await docker('exec', id, 'node', '-p', 'process.getuid()')).toBe('65532');
    expect(await psql(`select rolsuper from pg_roles where rolname = 'partkeeper'`)).toBe('f');
    expect(JSON.stringify(inspected.Config.Env)).not.toContain('demonstration');
  });

  test('has Prometheus scrape the service and judge our rules', async () => {
    await waitUntil(async () => (await query('up{job="partkeeper"} == 1')).length === 1, {
      deadlineMs: PATIENCE_MS,
      what: 'the first scrape',
    });
    interface Judged {
      readonly groups: readonly { readonly rules: readonly { readonly name: string; readonly health: string }[] }[];
    }
    const judged = await waitUntil(
      async () => {
        const { groups } = await askPrometheus<Judged>('rules');
        const found = groups.flatMap(group => group.rules);
        return found.length > 0 && found.every(({ health }) => health !== 'unknown') && found;
      },
      { deadlineMs: PATIENCE_MS, what: 'every rule to be judged' },
    );
    // Groups come in the order of their names.
    expect(judged.map(({ name }) => name).toSorted()).toEqual(
      rules.map(({ alert, record }) => alert ?? record ?? '').toSorted(),
    );
    expect(judged.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  test('outlives its database, and an alert says that it is away until it is back', async () => {
    const firing = 'ALERTS{alertname="PartkeeperDatabaseUnreachable",alertstate="firing"}';
    expect(await query(firing)).toEqual([]);
    await project.compose('stop', 'postgres');
    await waitUntil(async () => (await query(firing)).length === 1, { deadlineMs: PATIENCE_MS, what: 'the alert' });
    expect(await readiness()).toBe(503);
    expect(await project.tryCompose('exec', '-T', 'partkeeper', 'partkeeper', 'healthcheck')).toMatchObject({
      code: 0,
    });
    await project.compose('start', 'postgres');
    await ready(200);
    await waitUntil(async () => (await query(firing)).length === 0, { deadlineMs: PATIENCE_MS, what: 'its end' });
  });

  test('stops with exit code 0, starts again, and down leaves nothing', async () => {
    const id = await project.idOf('partkeeper');
    await project.compose('stop', 'partkeeper');
    expect(await docker('inspect', '--format', '{{.State.ExitCode}}', id)).toBe('0');
    await project.compose('up', '--detach', '--no-build');
    await ready(200);
    await project.compose('down', '--volumes');
    expect(await project.left()).toEqual([]);
  });
});

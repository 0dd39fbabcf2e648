/** Our rules and our dashboard, on a real Prometheus that scrapes the real service. */
import { describe, expect } from 'vitest';
import { MONTHLY_EVENTS } from '../support/cli.ts';
import { waitUntil } from '../support/client.ts';
import { daemonTest } from '../support/daemon.ts';
import { filledIn, panels, rules } from '../support/ops.ts';
import { hasPrometheus, type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { shortOrLong } from '../support/stress.ts';

const test = daemonTest.extend('template', 'schema');

const EVERYTHING = `${MONTHLY_EVENTS}views:
  unified.mv_recent_events: { schedule: '* * * * * *', skipUnchanged: false }
jobs:
  provision: { schedule: '* * * * * *' }
  retire: { schedule: '0 0 1 1 *' }
`;
// Something to find, and something to show as paused.
const DEFAULT_PARTITION = `create table unified.strays partition of unified.event_metric_events default`;

const hasData = async (prometheus: Prometheus, expression: string): Promise<boolean> =>
  (await prometheus.query(expression)).length > 0;

// promtool has judged every expression by then, in a second: this one is for the long form.
describe.runIf(shortOrLong(false, hasPrometheus))('Prometheus', () => {
  test('finds data for every panel and every rule, and nothing to complain of', async ({
    cli,
    configure,
    daemon,
    database,
    onTestFinished,
  }) => {
    await database.query(DEFAULT_PARTITION);
    await configure(EVERYTHING);
    expect(await cli.run(['migrate', 'up'])).toMatchObject({ code: 0 });
    expect(await cli.run(['pause', 'retire'])).toMatchObject({ code: 0 });
    const service = await daemon();
    const prometheus = await startPrometheus(service.address);
    onTestFinished(prometheus.stop);

    const judged = await waitUntil(
      async () => {
        const found = await prometheus.rules();
        return found.length === rules.length && found.every(({ health }) => health !== 'unknown') && found;
      },
      { deadlineMs: 60_000, what: 'every rule to be evaluated' },
    );
    expect(judged.filter(({ health }) => health === 'err')).toEqual([]);

    const wanted = [
      ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr: filledIn(expr) }))),
      ...rules.flatMap(({ record }) => (record === undefined ? [] : [{ title: record, expr: record }])),
      // An alert that does not fire has no data: what it looks at has.
      ...rules.flatMap(({ alert = '', expr }) =>
        (expr.match(/(?<![\w:])(partkeeper|process)_\w+/g) ?? []).map(metric => ({ title: alert, expr: metric })),
      ),
    ];
    let missing = wanted;
    await waitUntil(
      async () => {
        const found = await Promise.all(missing.map(({ expr }) => hasData(prometheus, expr)));
        missing = missing.filter((_, index) => !found[index]);
        return missing.length === 0;
      },
      { deadlineMs: 60_000, pollMs: 1_000, what: 'every panel and rule to have data' },
    ).catch(() => {});
    expect(missing).toEqual([]);
    expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([]);

    // The headroom goes on counting when nobody tells it any more, and that nobody does is about to be told.
    service.kill('SIGKILL');
    await service.exited();
    const headroom = {
      asked: 'job_target:partkeeper_headroom:seconds',
      known: 'partkeeper_partition_coverage_policy_seconds',
    };
    await waitUntil(async () => !(await hasData(prometheus, headroom.known)), { what: 'the series to end' });
    const [before] = await prometheus.query(headroom.asked);
    const after = await waitUntil(
      async () => {
        const [now] = await prometheus.query(headroom.asked);
        return now && now.value[1] !== before?.value[1] && now;
      },
      { what: 'the headroom to go on' },
    );
    expect(Number(after.value[1])).toBeLessThan(Number(before?.value[1]));
    const absent = 'ALERTS{alertname="PartkeeperAbsent",alertstate="pending",job="partkeeper"}';
    await waitUntil(() => hasData(prometheus, absent), { what: 'the absence to be noticed' });
  });
});

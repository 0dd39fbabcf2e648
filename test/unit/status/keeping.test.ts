/** The status as the service keeps it: answered from memory, whatever the database does. */
import { describe, expect, test } from 'vitest';
import { openStatus } from '../../../src/status/status.ts';
import { aTable, aTablePolicy, aViewPolicy, monthly, NOW, someFacts } from '../../support/facts.ts';
import { plainConfig } from '../../support/plain-config.ts';
import { aRun, finished, VIEW } from '../report/examples.ts';

const healthy = someFacts({ tables: [aTable({ partitions: monthly('2026-09', '2027-01') })] });
const policies = { tables: [aTablePolicy()], views: [aViewPolicy()] };

describe('the service that keeps it', () => {
  const never = new Promise<never>(() => {});

  test('answers while the database does not, and the same until something happens or time passes', async () => {
    let now = NOW;
    const asked: string[] = [];
    const status = openStatus({
      app: () => ({
        config: plainConfig(),
        runner: { policies, dueSince: () => undefined },
      }),
      read: () => {
        asked.push('the ledger');
        return never;
      },
      now: () => now,
      problem: () => undefined,
      sleep: () => never,
      collect: look => look(),
    });
    const ledger = { pinned: undefined, accepted: new Map(), retirements: new Map() };
    status.listen({ kind: 'observed', facts: { ...healthy, ledger }, durationMs: 1 });
    void status.run(new AbortController().signal);
    expect(asked).toEqual(['the ledger']);
    const first = status.document();
    expect(first).toMatchObject({
      ready: true,
      tables: [{ name: 'unified.event_metric_events' }],
      recent: { source: 'this-process' },
    });
    expect(status.document()).toBe(first);
    status.listen(finished({ run: aRun({ job: 'refresh', target: VIEW }) }));
    expect(status.document()).not.toBe(first);
    now = NOW.add({ seconds: 30 });
    expect(status.document().ageSeconds).toBe(30);
    expect(asked).toHaveLength(1);
  });
});

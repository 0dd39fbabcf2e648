import { describe, expect, test } from 'vitest';
import type { PartitionFacts } from '../../../src/domain/facts.ts';
import { inspectPartitions } from '../../../src/planner/inspect.ts';
import { aDefaultPartition, anOpaquePartition, aPartition, aTimeTable, at, monthly } from '../../support/facts.ts';

const NAME = 'unified.event_metric_events_2026_01_01';
const partition = (over: Partial<PartitionFacts>) => aPartition('2026-01-01', '2026-02-01', over);
const remarks = (...partitions: readonly PartitionFacts[]) =>
  inspectPartitions(aTimeTable({ partitions })).findings.map(
    ({ code, severity, message }) => `${severity} ${code}: ${message}`,
  );

describe('what is remarkable about a partition', () => {
  test.each<[string, PartitionFacts, string]>([
    [
      'a detach that was begun',
      partition({ isDetachPending: true }),
      `error DETACH_PENDING: ${NAME} has a detach that was begun and not finished; its rows are invisible`,
    ],
    [
      'a detach that was begun of a foreign table',
      partition({ isDetachPending: true, kind: 'foreign' }),
      `error DETACH_PENDING: ${NAME} has a detach that was begun and not finished; its rows are invisible`,
    ],
    [
      'being the default',
      aDefaultPartition(),
      'info DEFAULT_PARTITION: unified.event_metric_events_default is a default partition: attaching scans it, detaching cannot be concurrent',
    ],
    [
      'being foreign',
      partition({ kind: 'foreign' }),
      `info FOREIGN_PARTITION: ${NAME} is, or contains, a foreign table and is never retired`,
    ],
    [
      'a bound that is no range',
      anOpaquePartition(),
      'warning UNREADABLE_BOUND: unified.event_metric_events_opaque has a bound that proves nothing (it is a list)',
    ],
    [
      'an end that cannot be read',
      partition({
        bound: { kind: 'range', lower: { kind: 'at', at: at('2026-01-01') }, upper: { kind: 'opaque', text: '?' } },
      }),
      `warning UNREADABLE_BOUND: ${NAME} has a bound that is not a moment of the years that can be reckoned with`,
    ],
    [
      'no end on one side',
      aPartition('2026-01-01', 'MAXVALUE'),
      `warning UNBOUNDED_PARTITION: ${NAME} has no end on one side and is never retired`,
    ],
  ])('%s', (_, remarkable, expected) => {
    expect(remarks(remarkable)).toEqual([expected]);
  });

  test('nothing, as a rule', () => {
    expect(remarks(...monthly('2026-01', '2026-12'), partition({ kind: 'partitioned' }))).toEqual([]);
  });

  test('each is spoken of by its name, and nothing is planned', () => {
    const table = aTimeTable({
      partitions: [anOpaquePartition(), aDefaultPartition(), ...monthly('2026-01', '2026-02')],
    });
    const part = inspectPartitions(table);
    expect(part.findings.map(({ code, target }) => `${target.name} ${code}`)).toEqual([
      'event_metric_events UNREADABLE_BOUND',
      'event_metric_events DEFAULT_PARTITION',
    ]);
    expect({ actions: part.actions, skips: part.skips }).toEqual({ actions: [], skips: [] });
  });
});

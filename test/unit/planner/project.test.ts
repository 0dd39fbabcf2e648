import { describe, expect, test } from 'vitest';
import { momentsOf } from '../../../src/domain/moments.ts';
import { project } from '../../../src/planner/project.ts';
import { planProvision } from '../../../src/planner/provision.ts';
import { planRetire } from '../../../src/planner/retire.ts';
import { aPartition, aServer, aTablePolicy, aTimeTable, at, monthly, NOW } from '../../support/facts.ts';

const server = aServer();
const table = aTimeTable({ partitions: monthly('2026-06', '2026-12') });
const creating = planProvision(table, aTablePolicy(), NOW, server).actions;
const names = ({ partitions }: typeof table) => partitions.map(({ relation }) => relation.name.slice(-7));

describe('the facts as they will be', () => {
  test('have the partitions that are created, and their names are taken', () => {
    const after = project(table, creating);
    expect(names(after)).toEqual([...names(table), '2027_01']);
    expect(after.takenNames).toEqual(new Set(['event_metric_events_2027_01']));
    expect(after.partitions.at(-1)).toMatchObject({
      bound: {
        kind: 'range',
        lower: { kind: 'at', at: at('2027-01-01') },
        upper: { kind: 'at', at: at('2027-02-01') },
      },
      kind: 'table',
      isDetachPending: false,
    });
  });

  test.each(['drop', 'detach'] as const)('lack the partitions that are retired (%s)', retire => {
    const provisioned = project(table, creating);
    const retiring = planRetire(provisioned, aTablePolicy({ retire }), momentsOf(server), server).actions;
    expect(retiring.length).toBe(2);
    expect(names(project(provisioned, retiring))).toEqual([
      '2026_08',
      '2026_09',
      '2026_10',
      '2026_11',
      '2026_12',
      '2027_01',
    ]);
  });

  test('give no two partitions one OID, and none that an object could have', () => {
    const { partitions } = project(aTimeTable(), planProvision(aTimeTable(), aTablePolicy(), NOW, server).actions);
    expect(new Set(partitions.map(({ oid }) => oid)).size).toBe(3);
    expect(partitions.every(({ oid }) => oid < 0)).toBe(true);
  });

  test('are about the table of that name, whichever object says it', () => {
    const copied = creating.map(action => ({ ...action, target: { ...action.target } }));
    expect(names(project(table, copied))).toEqual([...names(table), '2027_01']);
  });

  test('are untouched by what is done to another table', () => {
    const elsewhere = creating.map(action => ({ ...action, target: { schema: 'other', name: 'event_metric_events' } }));
    expect(project(table, elsewhere).partitions).toEqual(table.partitions);
  });

  test('leave the facts as they are', () => {
    const partition = aPartition('2026-01-01', '2026-02-01');
    const before = aTimeTable({ partitions: [partition] });
    project(before, creating);
    expect(before.partitions).toEqual([partition]);
    expect(before.takenNames.size).toBe(0);
  });
});

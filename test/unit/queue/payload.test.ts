import { describe, expect, test } from 'vitest';
import { JOB_NAMES, type JobName } from '../../../src/domain/plan.ts';
import { formatRelationName } from '../../../src/domain/relation.ts';
import { formatInstant } from '../../../src/domain/time.ts';
import { MAX_CHARACTERS, PRIORITY, readPayload, singletonKey, tickId } from '../../../src/queue/payload.ts';
import { at, plusMicroseconds, relation } from '../../support/facts.ts';

const TICK = at('2026-11-21T06:00:00Z');
const VIEW = relation('app.totals');
const ID = '7d8b5a52-9c27-4a4e-8f0e-0d6a9b1c2d3e';

const isConfigured = (job: JobName, target: { schema: string; name: string }): boolean =>
  job === 'refresh' && formatRelationName(target) === 'app.totals';
const read = (data: unknown, id = ID) => readPayload(id, data, isConfigured);

describe('the id of a tick', () => {
  test('is the same wherever and whenever it is made, and stays so from one version to the next', () => {
    // Written down: an id that changed with an upgrade would let the old and the new version run the same tick.
    expect(tickId('refresh', VIEW, TICK)).toBe('802690a6-1a7a-89dc-aba2-3ba521e2969b');
    expect(tickId('refresh', relation('app.totals'), at('2026-11-21T07:00:00+01:00'))).toBe(
      tickId('refresh', VIEW, TICK),
    );
  });

  test('is a UUID of version 8', () => {
    expect(tickId('refresh', VIEW, TICK)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  test('differs from job to job, from target to target and from tick to tick', () => {
    // The last three spell alike when they are put together without care.
    const targets = ['app.totals', 'app.total', '"app.totals".x', 'app."totals.x"', 'app."totals/x"'].map(relation);
    const ticks = [0, 1, 1_000_000, 60_000_000].map(microseconds => plusMicroseconds(TICK, microseconds));
    const ids = JOB_NAMES.flatMap(job => targets.flatMap(target => ticks.map(tick => tickId(job, target, tick))));
    expect(new Set(ids).size).toBe(JOB_NAMES.length * targets.length * ticks.length);
  });
});

describe('the key under which at most one job is under way', () => {
  test('is that of job and target, whoever asks and whatever the tick', () => {
    expect(singletonKey('refresh', VIEW)).toBe('refresh/app.totals');
    expect(singletonKey('retire', relation('app."odd name"'))).toBe('retire/app."odd name"');
  });
});

describe('a payload', () => {
  test('of the schedule is work for its tick', () => {
    const tick = formatInstant(TICK);
    const work = read({ job: 'refresh', target: 'app.totals', tick }, tickId('refresh', VIEW, TICK));
    expect(work).toMatchObject({ job: 'refresh', target: VIEW, requestedBy: undefined, reason: undefined });
    expect('tick' in work && work.tick?.equals(TICK)).toBe(true);
  });

  test('of a person has no tick, and says who and why', () => {
    expect(read({ job: 'refresh', target: 'app.totals', requestedBy: 'ada', reason: 'a demo' })).toEqual({
      job: 'refresh',
      target: VIEW,
      tick: undefined,
      requestedBy: 'ada',
      reason: 'a demo',
    });
  });

  test('names a target as SQL would read it', () => {
    expect(read({ job: 'refresh', target: '"app"."totals"' })).toMatchObject({ target: VIEW });
  });

  const tickData = { job: 'refresh', target: 'app.totals', tick: formatInstant(TICK) };
  test.for<[string, object, string]>([
    ['an id of its own', tickData, ID],
    ['the id of the tick before', tickData, tickId('refresh', VIEW, at('2026-11-21T05:59:00Z'))],
    ['the id of a microsecond later', tickData, tickId('refresh', VIEW, plusMicroseconds(TICK, 1))],
    ['the id of another job', tickData, tickId('provision', VIEW, TICK)],
    ['the id of another target', tickData, tickId('refresh', relation('app.other'), TICK)],
  ])('that claims a tick under %s is refused as forged', ([, data, id]) => {
    expect(read(data, id)).toEqual({
      rejected: 'forged_tick',
      because: 'the id does not follow from job, target and tick',
    });
  });

  test.for<[string, object]>([
    ['another target', { job: 'refresh', target: 'app.other' }],
    ['another job on a target of this one', { job: 'retire', target: 'app.totals' }],
    ['a target in other case, which SQL would fold only without quotes', { job: 'refresh', target: '"App".totals' }],
  ])('that names %s is refused as unknown', ([, data]) => {
    expect(read(data)).toMatchObject({ rejected: 'unknown_target' });
  });

  test.for<[string, unknown]>([
    ['nothing', null],
    ['a text', 'refresh'],
    ['a list', [{ job: 'refresh', target: 'app.totals' }]],
    ['no job', { target: 'app.totals' }],
    ['a job that does not exist', { job: 'drop', target: 'app.totals' }],
    ['a job of the prototype', { job: 'constructor', target: 'app.totals' }],
    ['no target', { job: 'refresh' }],
    ['an empty target', { job: 'refresh', target: '' }],
    ['a target without a schema', { job: 'refresh', target: 'totals' }],
    ['SQL for a target', { job: 'refresh', target: 'app.totals; drop table app.totals' }],
    ['a policy', { job: 'refresh', target: 'app.totals', retention: '0 days' }],
    ['a budget', { job: 'refresh', target: 'app.totals', lockTimeout: '1h' }],
    ['a moment to pretend', { job: 'refresh', target: 'app.totals', at: '2036-01-01T00:00:00Z' }],
    ['a tick that is no moment', { job: 'refresh', target: 'app.totals', tick: 'now' }],
    ['a tick on a day that does not exist', { job: 'refresh', target: 'app.totals', tick: '2026-02-30T00:00:00Z' }],
    ['a tick without a zone', { job: 'refresh', target: 'app.totals', tick: '2026-11-21T06:00:00' }],
    ['a reason that is a number', { job: 'refresh', target: 'app.totals', reason: 7 }],
  ])('with %s is refused as invalid, and never throws', ([, data]) => {
    expect(read(data)).toMatchObject({ rejected: 'payload_invalid' });
  });

  // A name has a limit of its own, which is PostgreSQL's.
  test.for(['reason', 'requestedBy'] as const)('may have as many characters of %s as agreed, and not one more', key => {
    // Outside of the basic plane: two units of JavaScript are one character.
    const data = (length: number) => ({ job: 'refresh', target: 'app.totals', [key]: '𝄞'.repeat(length) });
    expect(read(data(MAX_CHARACTERS[key]))).toMatchObject({ job: 'refresh' });
    expect(read(data(MAX_CHARACTERS[key] + 1))).toMatchObject({ rejected: 'payload_invalid' });
  });
});

test('creating goes before everything else that waits, and retiring before what only reads', () => {
  const order = JOB_NAMES.toSorted((a, b) => PRIORITY[b] - PRIORITY[a]);
  expect(order).toEqual(['provision', 'retire', 'refresh', 'analyze']);
  expect(new Set(Object.values(PRIORITY)).size).toBe(JOB_NAMES.length);
});

/** A status in which everything is wrong that can be, so that every part of the page has something to show. */
import { MaintenanceError } from '../../src/domain/errors.ts';
import { finding } from '../../src/domain/findings.ts';
import type { StatusDocument } from '../../src/status/document.ts';
import {
  aDefaultPartition,
  anOpaquePartition,
  aPartition,
  aRange,
  aSize,
  aTable,
  aTablePolicy,
  at,
  aView,
  aViewPolicy,
  monthly,
  NOW,
  relation,
  someFacts,
} from './facts.ts';
import { aSchedule, statusOf } from './status.ts';

const TABLE = relation('unified.event_metric_events');
const run = { runId: 'run-1', attempt: 1, target: TABLE, trigger: 'schedule' } as const;
const lost = new MaintenanceError('CONNECTION_LOST', 'the server closed the connection', { hint: 'look at its log' });

export const aTroubledStatus = (): StatusDocument =>
  statusOf({
    facts: someFacts({
      tables: [
        aTable({
          partitions: [
            aPartition('2026-03-01', '2026-04-01', { isDetachPending: true }),
            ...monthly('2026-05', '2026-08').map((each, index) => ({
              ...each,
              size: aSize({ bytesEstimate: 1e7 * (index + 1), rowsEstimate: index === 0 ? undefined : 1e5 }),
            })),
            ...monthly('2026-10', '2026-12'),
            aDefaultPartition(),
            anOpaquePartition(),
          ],
        }),
      ],
      views: [
        aView({ lastRefresh: { at: at('2026-11-01'), fingerprint: 'f0' } }),
        aView({ oid: 7, relation: relation('app.totals'), concurrentIndex: undefined }),
      ],
      missing: [{ relation: relation('app.gone'), reason: 'absent' }],
      ledger: {
        pinned: undefined,
        accepted: new Map(),
        retirements: new Map([
          [
            10_000,
            [
              {
                partition: 7,
                recorded: relation('unified.event_metric_events_2026_02'),
                boundText: '',
                bound: aRange('2026-02-01', '2026-03-01'),
                state: 'detached',
                intendedAt: at('2026-11-01'),
                askedAt: undefined,
                dropAfter: at('2026-12-01'),
                found: {
                  relation: relation('unified.event_metric_events_2026_02'),
                  parent: undefined,
                  isPending: false,
                  size: { rowsEstimate: 1, bytesEstimate: 9e6 },
                },
              },
            ],
          ],
        ]),
      },
    }),
    policies: {
      tables: [aTablePolicy({ premake: 4 }), aTablePolicy({ relation: relation('app.gone') })],
      views: [aViewPolicy(), aViewPolicy({ relation: relation('app.totals') })],
    },
    schedules: [
      aSchedule('refresh', 'unified.mv_recent_events', '*/15 * * * *'),
      aSchedule('provision', 'unified.event_metric_events', '10 0 * * *', 'Europe/Berlin'),
    ],
    events: [
      {
        kind: 'run-finished',
        run: { ...run, job: 'retire' },
        outcome: 'failure',
        at: NOW.subtract({ hours: 3 }),
        durationMs: 1_234,
        done: 0,
        failed: 1,
        deferred: 0,
        skips: [],
        findings: [finding('BLOCKED', TABLE, 'pid 4711 (app, idle in transaction since 3 h) is in the way', 'End it.')],
        error: lost,
      },
      { kind: 'run-started', run: { ...run, job: 'provision' }, at: NOW },
      {
        kind: 'pauses-read',
        pauses: [
          {
            job: 'analyze',
            target: TABLE,
            isPaused: true,
            pause: { by: 'mira', reason: 'load test until Monday', since: at('2026-11-20') },
          },
        ],
      },
      { kind: 'observation-failed', error: lost, durationMs: 5 },
    ],
    present: {
      now: NOW.add({ minutes: 9 }),
      problem: 'could not connect to the server',
      recorded: {
        readAt: NOW,
        actions: ['done', 'failed', 'deferred', 'abandoned', 'intended', 'already-done', 'done', 'done'].map(
          outcome => ({
            at: '2026-11-21T05:00:00Z',
            target: 'unified.event_metric_events',
            relation: 'unified.event_metric_events_2026_01',
            kind: 'drop-partition',
            why: 'its upper bound 2026-02-01T00:00:00Z is at or before the cutoff 2026-08-23T06:00:00Z (retention 90 days)',
            outcome,
            durationMs: 41,
            rows: 21_034,
            bytes: 9_541_222,
            error: outcome === 'failed' ? 'the server closed the connection [CONNECTION_LOST]' : null,
          }),
        ),
      },
    },
  });

/** Locks, interruptions, and several at once. */
import { error, type Fault, type FaultNumber, found, log, metric, skipped } from './fault.ts';

export const LOCK_FAULTS = {
  F20: {
    title: 'A transaction holds the table for hours',
    happens: 'Whoever asks for a strong lock waits behind it, and everybody else behind them.',
    holds: 'Partitions are made beside it, and nobody waits for us longer than the lock budget.',
    seen: [error('LOCK_UNAVAILABLE'), metric('partkeeper_lock_timeouts_total', 'rises'), log('action retried')],
    tests: ['faults/locks-held.test.ts', 'db/retire-concurrently.test.ts'],
  },
  F21: {
    title: 'An old snapshot is in the way of a concurrent detach',
    happens: 'The detach waits for it; were it given up, it would stay pending and stop every other detach.',
    holds:
      'Old ones are seen before and named, and nothing is begun. A younger one is waited for without holding anybody up.',
    seen: [found('BLOCKED'), metric('partkeeper_retention_lag_seconds', 'rises'), log('action deferred')],
    tests: ['faults/retiring.test.ts', 'db/retire-concurrently.test.ts'],
  },
  F22: {
    title: 'The detach is cancelled in its second half',
    happens: 'By somebody, or by a timeout: the detach is pending.',
    holds: 'No timeout of ours applies to it, and the next run finishes what is pending.',
    seen: [found('BLOCKED'), error('RETIRE_UNFINISHED')],
    tests: ['faults/retiring.test.ts'],
  },
  F23: {
    title: 'Ours is the victim of a deadlock',
    happens: 'The server ends the transaction with 40P01.',
    holds: 'It is tried again, so many times and no more.',
    seen: [error('DEADLOCK'), metric('partkeeper_ddl_retries_total', 'reason="deadlock"'), log('action retried')],
    tests: ['faults/locks-held.test.ts'],
  },
  F24: {
    title: 'The process is killed during a concurrent detach',
    happens: 'The server goes on with it, and finishes it later; or it notices, and leaves it pending.',
    holds: 'The next run copes with either, also while the server is still at it.',
    seen: [found('BLOCKED'), log('run interrupted')],
    tests: ['faults/retiring.test.ts'],
  },
  F25: {
    title: 'The process is killed between detach and drop',
    happens: 'A table is left that is nobody’s partition, and whose range the catalog has forgotten.',
    holds: 'The ledger proves whose it was, and the next run drops it. A stranger of that name is never touched.',
    seen: [log('run interrupted'), metric('partkeeper_partition_changes_total', 'action="drop"')],
    tests: ['db/retire-interrupted.test.ts'],
  },
  F26: {
    title: 'The process is killed while it archives',
    happens: 'A file is there that nobody has verified.',
    holds: 'No partition is dropped whose archive is not verified.',
    seen: [],
    untested: 'There is no archive yet: retired partitions are dropped or kept.',
  },
  F27: {
    title: 'The process is killed at any statement',
    happens: 'Before it is sent, once it is sent, or once it is done.',
    holds: 'Nothing is torn or lost, and the next run does the rest.',
    seen: [log('run interrupted')],
    tests: [
      'faults/kill-between-statements.test.ts',
      'faults/every-statement.test.ts',
      'faults/terminate-between-statements.test.ts',
    ],
  },
  F28: {
    title: 'A replica hangs, another one takes over, and the first one wakes up',
    happens: 'Two processes believe that the run is theirs.',
    holds: 'The lock lives as long as its connection. Whoever has lost it stops, and does nothing more.',
    seen: [error('CONNECTION_LOST'), skipped('detach-pending'), log('run finished')],
    tests: ['faults/stalled-replica.test.ts', 'faults/retiring.test.ts'],
  },
  F29: {
    title: 'Two replicas start together',
    happens: 'Both see the same work.',
    holds: 'It is done once, without an error in any log.',
    seen: [metric('partkeeper_runs_total', 'outcome="skipped"')],
    tests: ['db/provision-races.test.ts', 'faults/replicas.test.ts'],
  },
  F30: {
    title: 'A run is asked for while the scheduled one is going',
    happens: 'The same job on the same target, twice.',
    holds: 'Who asks gets the run that is under way; no two run at the same time.',
    seen: [log('run finished')],
    tests: ['db/trigger.test.ts'],
  },
  F31: {
    title: 'Another tool looks after the same table',
    happens: 'Partitions appear that we were about to make.',
    holds: 'What covers the range counts as done; nobody’s partition is fought over.',
    seen: [log('action finished')],
    tests: ['db/provision-races.test.ts'],
  },
  F32: {
    title: 'A VACUUM holds the partition for hours',
    happens: 'One against wraparound does not step aside.',
    holds: 'It is not cancelled. Partitions are made all the same; what needs its lock is put off, and names it.',
    seen: [found('BLOCKED'), error('LOCK_UNAVAILABLE')],
    tests: ['faults/locks-held.test.ts', 'faults/retiring.test.ts'],
  },
  F33: {
    title: 'The service is told to stop in the middle of a statement',
    happens: 'SIGTERM, once or twice.',
    holds:
      'What can finish in three seconds does, the rest is cancelled on the server; the ledger says what it came to.',
    seen: [metric('partkeeper_shutdown_in_progress', '1'), log('stopping'), error('CANCELLED')],
    tests: ['faults/sigterm.test.ts'],
  },
} as const satisfies Readonly<Record<FaultNumber, Fault>>;

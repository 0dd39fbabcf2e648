/** The statements of `sql/ledger`, loaded once. */
import { readFileSync } from 'node:fs';

const read = (name: string): string => readFileSync(new URL(`../../sql/ledger/${name}.sql`, import.meta.url), 'utf8');

export const statements = {
  startRun: read('start-run'),
  finishRun: read('finish-run'),
  interruptRuns: read('interrupt-runs'),
  interruptVanished: read('interrupt-vanished'),
  skipTick: read('skip-tick'),
  intendAction: read('intend-action'),
  concludeAction: read('conclude-action'),
  failAction: read('fail-action'),
  intendRetirement: read('intend-retirement'),
  concludeRetirement: read('conclude-retirement'),
  abandonRetirements: read('abandon-retirements'),
  acceptRetention: read('accept-retention'),
  pinDatabase: read('pin-database'),
  lastRuns: read('last-runs'),
  history: read('history'),
  historyActions: read('history-actions'),
  recentActions: read('recent-actions'),
  pauses: read('pauses'),
  pause: read('pause'),
  resume: read('resume'),
  askRestore: read('ask-restore'),
  release: read('release'),
  openRetirements: read('open-retirements'),
  adopt: read('adopt'),
  runProgress: read('run-progress'),
  running: read('running'),
  knowTargets: read('know-targets'),
} as const;

/** What the log says of those who ask over HTTP. */
import { expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { aLog } from './lines.ts';

test('who asked for what, who asked in vain, and who was turned away, are a line each', () => {
  const { emit, lines } = aLog();
  const via = 'http 10.0.0.7, token ci';
  const runs = [
    { runId: 'r1', job: 'refresh', target: 'app.a', status: 'queued' },
    { runId: 'r2', job: 'refresh', target: 'app.b', status: 'already running' },
  ] as const;
  emit({ kind: 'trigger-asked', via, runs });
  emit({ kind: 'trigger-failed', via, error: new MaintenanceError('USAGE', 'app.x is not configured for refresh') });
  emit({ kind: 'trigger-refused', code: 401, address: '10.0.0.8', because: 'the token is not accepted', untold: 0 });
  emit({ kind: 'trigger-refused', code: 429, address: '10.0.0.8', because: 'too many requests', untold: 7 });
  expect(lines().map(({ level, msg, text }) => `${level} ${msg}: ${text}`)).toEqual([
    `info trigger asked: ${via} asked for refresh app.a (queued), refresh app.b (already running)`,
    `warn trigger failed: ${via} asked in vain: app.x is not configured for refresh. [USAGE]`,
    'warn trigger refused: A request from 10.0.0.8 was refused: the token is not accepted',
    'warn trigger refused: A request from 10.0.0.8 was refused: too many requests; 7 refusals before it went untold',
  ]);
});

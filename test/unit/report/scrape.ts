/** What Prometheus would see. */
import { type Metrics, type MetricsOptions, recordEvents } from '../../../src/report/metrics.ts';
import { aTablePolicy, at, aViewPolicy } from '../../support/facts.ts';

export const someMetrics = (over: Partial<MetricsOptions> = {}): Metrics =>
  recordEvents({
    tables: [aTablePolicy()],
    views: [aViewPolicy()],
    intervalOf: () => undefined,
    version: '1.2.3',
    ...over,
  });

/** Every series by its name and labels, as Prometheus would scrape it. */
export async function scrape({ render }: Metrics): Promise<ReadonlyMap<string, number>> {
  const samples = (await render()).split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map(line => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1).replace('Inf', 'Infinity'))];
    }),
  );
}

export const ON_TABLE = 'target="unified.event_metric_events"';
export const ON_VIEW = 'target="unified.mv_recent_events"';
export const seconds = (text: string): number => at(text).epochMilliseconds / 1000;
export const DAY = 86_400;

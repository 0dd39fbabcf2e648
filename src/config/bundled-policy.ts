/** What is maintained when there is no configuration file. It goes through the same parser as a file does. */

export const BUNDLED_ORIGIN = 'the bundled policy';

export const BUNDLED_POLICY = `tables:
  unified.event_metric_events:
    interval: month
    premake: 2
    retention: 90 days
    retire: drop
    timezone: UTC
    analyze: { after: provision, schedule: '15 3 * * *' }

views:
  unified.mv_recent_events: { schedule: '*/5 * * * *' }
  unified.mv_error_summary: { schedule: '*/15 * * * *' }
  unified.mv_performance_metrics: { schedule: '*/5 * * * *' }
`;

/** A configuration that shows every part. The reference has it, and a test that it loads. */

export const EXAMPLE = `database:
  url: \${DATABASE_URL}
  # directUrl: \${DIRECT_URL} # only where url goes through a transaction pooler
  pool: 4
  lockTimeout: 200ms
  statementTimeout: 15min

tables:
  unified.event_metric_events:
    interval: month
    premake: 2
    retention: 90 days
    retire: drop
    timezone: UTC
    name: '{table}_{YYYY}_{MM}'
    analyze: { after: provision, schedule: '15 3 * * *' }

views:
  unified.mv_recent_events: { schedule: '*/5 * * * *' }

jobs:
  provision: { schedule: '10 0 * * *', overlap: skip, jitter: 30s, catchUp: once, catchUpWindow: 31 days }
  retire: { schedule: '40 2 * * *', timezone: Europe/Berlin }

queue: { schema: partkeeper_queue, runTimeout: 1 hour }
ledger: { retention: 1 year }
http: { listen: '127.0.0.1:9465' }
# triggers: { listen: '127.0.0.1:9466', tokenFile: /run/secrets/partkeeper-tokens }
log: { level: info, format: json }
`;

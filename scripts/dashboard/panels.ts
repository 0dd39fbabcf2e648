/** What the dashboard shows: rows of panels, each with its question and the expressions that answer it. */

export interface Curve {
  readonly expr: string;
  /** How a series is called, with {{label}} for a label. */
  readonly legend: string;
}
export interface PanelSpec {
  readonly title: string;
  readonly description: string;
  readonly type: 'timeseries' | 'stat' | 'table';
  /** One of Grafana's: s, bytes, short, bool_yes_no, percentunit. */
  readonly unit: string;
  readonly curves: readonly Curve[];
  /** From which value on it is yellow, and red; the other way round where less is worse. */
  readonly bad?: { readonly yellow: number; readonly red: number };
  readonly isStacked?: boolean;
}
export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

// State is the same on every replica, so it is shown once; what a process counts is added up.
const OF_JOB = 'job=~"$job"';
const OF_TARGET = `${OF_JOB},target=~"$target"`;
const OF_INSTANCE = `${OF_JOB},instance=~"$instance"`;

const once = (metric: string, labels: string, more = '', how = 'max'): string =>
  `${how} by (${['job', labels].filter(Boolean).join(', ')}) (${metric}{${labels.includes('target') ? OF_TARGET : OF_JOB}${more}})`;
const added = (metric: string, labels: string, more = ''): string =>
  `sum by (${labels}) (increase(${metric}{${labels.includes('target') ? OF_TARGET : OF_JOB}${more}}[$__rate_interval]))`;
const quantile = (share: number, metric: string, labels: string): string =>
  `histogram_quantile(${share}, sum by (${[...(labels === '' ? [] : [labels]), 'le'].join(', ')}) (rate(${metric}_bucket{${OF_JOB}}[$__rate_interval])))`;
const ofProcess = (metric: string, how = ''): string => `${how}${metric}{${OF_INSTANCE}}`;

const HEADROOM = `${once('partkeeper_partition_coverage_end_timestamp_seconds', 'target')} - time()`;
const PAST_RETENTION = `clamp_min(time() - ${once('partkeeper_retention_oldest_partition_end_timestamp_seconds', 'target', '', 'min')} - (${once('partkeeper_retention_policy_seconds', 'target')} > 0), 0)`;

const panel = (
  type: PanelSpec['type'],
  unit: string,
  title: string,
  description: string,
  curves: readonly (readonly [expr: string, legend: string])[],
  more: Pick<PanelSpec, 'bad' | 'isStacked'> = {},
): PanelSpec => ({
  type,
  unit,
  title,
  description,
  curves: curves.map(([expr, legend]) => ({ expr, legend })),
  ...more,
});

export const ROWS: readonly RowSpec[] = [
  {
    title: 'At a glance',
    panels: [
      panel(
        'stat',
        's',
        'Least headroom',
        'How long every table will find a partition for its rows, at least. The alerts count it down also when nothing is scraped.',
        [[`min(${HEADROOM})`, 'headroom']],
        { bad: { yellow: 604_800, red: 259_200 } },
      ),
      panel(
        'stat',
        'short',
        'Errors that stand',
        'Findings of severity error: a person has to see to them. `partkeeper check` says each in words.',
        [[`sum(${once('partkeeper_findings', 'target, code', ',severity="error"')}) or vector(0)`, 'errors']],
        { bad: { yellow: 1, red: 1 } },
      ),
      panel(
        'stat',
        'short',
        'Jobs that fail',
        'Jobs on targets whose last run failed, wholly or in part.',
        [[`count(${once('partkeeper_run_consecutive_failures', 'target, operation')} > 0) or vector(0)`, 'failing']],
        { bad: { yellow: 1, red: 3 } },
      ),
      panel(
        'stat',
        's',
        'Longest past its retention',
        'How far the oldest partition of any table is past its retention. Up to the time between two runs of retire is ordinary.',
        [[`max(${PAST_RETENTION}) or vector(0)`, 'overdue']],
        { bad: { yellow: 172_800, red: 432_000 } },
      ),
      panel(
        'stat',
        'short',
        'Replicas at work',
        'Processes that may work: started, the database there and writable, the queue installed.',
        [[`sum(${ofProcess('partkeeper_ready')})`, 'ready']],
        { bad: { yellow: 1, red: 0 } },
      ),
      panel(
        'stat',
        'bool_yes_no',
        'Database answers',
        'Whether any replica reached the database when it last looked.',
        [[`max(${ofProcess('partkeeper_database_up')})`, 'up']],
        { bad: { yellow: 1, red: 0 } },
      ),
    ],
  },
  {
    title: 'Partitions',
    panels: [
      panel(
        'timeseries',
        's',
        'Headroom',
        'Until when rows find a partition, from now on. It falls with time and rises with each partition that is made; below the dashed line (what the configuration wants ahead) something is late.',
        [
          [HEADROOM, '{{target}}'],
          [once('partkeeper_partition_coverage_policy_seconds', 'target'), '{{target}} wanted'],
        ],
      ),
      panel(
        'timeseries',
        'short',
        'Partitions by state',
        'Every partition is in one state. Expired ones wait for retire; detach_pending and unreadable ones want a look.',
        [[`sum by (state) (${once('partkeeper_partitions', 'target, state')})`, '{{state}}']],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        'bytes',
        'Size',
        'All partitions of a table with indexes and TOAST, by the page counts of the catalog.',
        [[once('partkeeper_partition_size_bytes', 'target'), '{{target}}']],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        'short',
        'Rows',
        "The planner's estimate; partitions that were never analyzed count as none.",
        [[once('partkeeper_partition_rows_estimate', 'target'), '{{target}}']],
      ),
      panel(
        'timeseries',
        'short',
        'Changes',
        'Partitions created, detached, finished, dropped and attached again, by all replicas.',
        [[added('partkeeper_partition_changes_total', 'action'), '{{action}}']],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        'short',
        'Gaps',
        'Holes between the oldest and the newest partition: rows of that time are refused, or go to the default partition.',
        [[once('partkeeper_partition_coverage_gaps', 'target'), '{{target}}']],
      ),
      panel(
        'timeseries',
        'bytes',
        'Default partition',
        'Rows that found no partition of their own lie there. It ought to stay empty: growing, it makes every new partition dearer.',
        [[once('partkeeper_partition_default_size_bytes', 'target'), '{{target}}']],
      ),
    ],
  },
  {
    title: 'Retention',
    panels: [
      panel(
        'timeseries',
        's',
        'Past retention',
        'How far the oldest partition is past its retention. A saw that stays below the time between two runs of retire is ordinary; one that keeps rising is held back by something.',
        [[PAST_RETENTION, '{{target}}']],
      ),
      panel(
        'timeseries',
        's',
        'Retention lag when last looked',
        'The same as partkeeper itself reckons it, on the calendar and by the earlier of the clocks. It stands still while partkeeper does.',
        [[once('partkeeper_retention_lag_seconds', 'target'), '{{target}}']],
      ),
      panel(
        'timeseries',
        'short',
        'On the way out',
        'Partitions that were detached or are about to be, by what the ledger says: detached ones wait for the end of their grace, kept ones stay.',
        [[`sum by (state) (${once('partkeeper_retirements', 'target, state')})`, '{{state}}']],
        { isStacked: true },
      ),
      panel('timeseries', 'bytes', 'Space to be had', 'What retention will give back, and when.', [
        [once('partkeeper_retention_expired_bytes', 'target'), '{{target}} expired'],
        [once('partkeeper_retirement_size_bytes', 'target'), '{{target}} detached'],
      ]),
      panel(
        'timeseries',
        'short',
        'Held back by a guard',
        'Runs of retire that a guard kept from retiring something. The findings say what to do.',
        [[added('partkeeper_retention_safety_stops_total', 'target, reason'), '{{target}}: {{reason}}']],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        'bytes',
        'Space released',
        'What dropped partitions gave back.',
        [[added('partkeeper_partition_dropped_bytes_total', 'target'), '{{target}}']],
        { isStacked: true },
      ),
    ],
  },
  {
    title: 'Materialized views',
    panels: [
      panel(
        'timeseries',
        's',
        'Age of the data',
        'How old what a view shows is. A run that found nothing changed makes it new again.',
        [
          [`time() - (${once('partkeeper_matview_data_timestamp_seconds', 'target')} > 0)`, '{{target}}'],
          [once('partkeeper_run_interval_seconds', 'target', ',operation="refresh"'), '{{target}} schedule'],
        ],
      ),
      panel('timeseries', 's', 'Last refresh took', 'Wall time of the last run of refresh.', [
        [once('partkeeper_run_last_duration_seconds', 'target', ',operation="refresh"'), '{{target}}'],
      ]),
      panel(
        'timeseries',
        'bytes',
        'Size of views',
        'With indexes and TOAST, by the page counts of the catalog. Growing without more rows is bloat from refreshing concurrently.',
        [[once('partkeeper_matview_size_bytes', 'target'), '{{target}}']],
      ),
      panel('timeseries', 'bool_yes_no', 'Can be read', 'A view that is not populated gives its readers an error.', [
        [once('partkeeper_matview_populated', 'target', '', 'min'), '{{target}}'],
      ]),
    ],
  },
  {
    title: 'Runs',
    panels: [
      panel(
        'timeseries',
        'short',
        'Runs by outcome',
        'Finished runs of all replicas. A run that found nothing to do is a success; skipped ones were left out because of one still going, or a pause.',
        [[added('partkeeper_runs_total', 'outcome'), '{{outcome}}']],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        'short',
        'Runs by job',
        'The same by job and by what made it start.',
        [[added('partkeeper_runs_total', 'operation, trigger'), '{{operation}} ({{trigger}})']],
        { isStacked: true },
      ),
      panel('timeseries', 's', 'Duration', 'The 95th percentile of how long runs took.', [
        [quantile(0.95, 'partkeeper_run_duration_seconds', 'operation'), '{{operation}}'],
      ]),
      panel(
        'timeseries',
        'short',
        'Schedule intervals since the last success',
        'Above 2.5 a job on a target is overdue. What has never succeeded is not shown.',
        [
          [
            `(time() - (${once('partkeeper_run_last_success_timestamp_seconds', 'target, operation')} > 0)) / ${once('partkeeper_run_interval_seconds', 'target, operation')}`,
            '{{operation}} {{target}}',
          ],
        ],
      ),
      panel(
        'timeseries',
        'short',
        'Failures in a row',
        'Runs that failed since the last success. At 3 there is an alert.',
        [[once('partkeeper_run_consecutive_failures', 'target, operation'), '{{operation}} {{target}}']],
      ),
      panel(
        'timeseries',
        'short',
        'Errors of runs',
        'By the code of the first error of a run. The runbook has an entry for each.',
        [[`${added('partkeeper_run_errors_total', 'code')} > 0 or on () vector(0)`, '{{code}}']],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        'short',
        'Under way',
        'Runs executing now.',
        [[`sum by (operation) (partkeeper_runs_in_progress{${OF_JOB}})`, '{{operation}}']],
        { isStacked: true },
      ),
    ],
  },
  {
    title: 'Locks and people in the way',
    panels: [
      panel(
        'timeseries',
        's',
        'Lock waits',
        'How long tries waited for their locks, granted or not: the median and the 99th percentile. None waits longer than lockTimeout.',
        [
          [quantile(0.5, 'partkeeper_lock_wait_seconds', 'operation'), '{{operation}} half'],
          [quantile(0.99, 'partkeeper_lock_wait_seconds', 'operation'), '{{operation}} 99 %'],
        ],
      ),
      panel(
        'timeseries',
        'short',
        'Lock timeouts',
        'Attempts given up at lockTimeout, so that nobody queues up behind us.',
        [[added('partkeeper_lock_timeouts_total', 'target, operation'), '{{operation}} {{target}}']],
      ),
      panel(
        'timeseries',
        'short',
        'Put off',
        "Actions put off to the next tick because somebody's transaction was in the way. The finding BLOCKED names it.",
        [[added('partkeeper_deferrals_total', 'target, operation'), '{{operation}} {{target}}']],
      ),
      panel(
        'timeseries',
        'short',
        'Attempts repeated',
        'Within a run, by why.',
        [[added('partkeeper_ddl_retries_total', 'operation, reason'), '{{operation}}: {{reason}}']],
        { isStacked: true },
      ),
    ],
  },
  {
    title: 'Queue and ledger',
    panels: [
      panel(
        'timeseries',
        'short',
        'Jobs in the queue',
        'Ready to be taken, deferred to a later moment, active. What stays ready while nothing is active, nobody works on.',
        [[once('partkeeper_queue_jobs', 'state'), '{{state}}']],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        's',
        'Oldest ready job',
        'How long the first of the ready jobs has waited to be taken; nothing where none is ready.',
        [
          [
            `time() - (${once('partkeeper_queue_oldest_ready_timestamp_seconds', '')} > 0) or on () vector(0)`,
            'oldest',
          ],
        ],
      ),
      panel(
        'timeseries',
        's',
        'Wait in the queue',
        'The median and the 95th percentile of how long jobs waited to be taken. Each replica runs one at a time, so they wait for long runs.',
        [
          [quantile(0.5, 'partkeeper_queue_wait_seconds', ''), 'half'],
          [quantile(0.95, 'partkeeper_queue_wait_seconds', ''), '95 %'],
        ],
      ),
      panel(
        'timeseries',
        'short',
        'Jobs handled',
        'By what became of them. A retried one failed and is offered again, a failed one failed for good.',
        [[added('partkeeper_queue_jobs_handled_total', 'outcome'), '{{outcome}}']],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        'short',
        'Ticks without a run',
        'Missed: no replica was there. Skipped: left out because of a run still going, a pause, or the catch-up policy.',
        [
          [added('partkeeper_schedule_slots_missed_total', 'operation'), '{{operation}} missed'],
          [added('partkeeper_schedule_slots_skipped_total', 'operation'), '{{operation}} skipped'],
        ],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        's',
        'Next run',
        'How long until a job is due on a target. Far below zero, nobody offers ticks.',
        [
          [
            `(${once('partkeeper_run_next_timestamp_seconds', 'target, operation')} > 0) - time()`,
            '{{operation}} {{target}}',
          ],
        ],
      ),
      panel(
        'timeseries',
        'short',
        'Troubles',
        'Times the queue could not be worked with, or something not be put on record. While the ledger fails, nothing is retired.',
        [
          [`sum(increase(partkeeper_queue_troubles_total{${OF_JOB}}[$__rate_interval]))`, 'queue'],
          [`sum(increase(partkeeper_ledger_troubles_total{${OF_JOB}}[$__rate_interval]))`, 'ledger'],
        ],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        'short',
        'Jobs refused',
        'Triggers that asked for what is not configured, refused before any SQL ran.',
        [[added('partkeeper_queue_jobs_rejected_total', 'rejection'), '{{rejection}}']],
        { isStacked: true },
      ),
      panel('table', 'short', 'Paused', 'What rests, until `partkeeper resume`.', [
        [`${once('partkeeper_paused', 'target, operation')} == 1`, ''],
      ]),
      panel('table', 'short', 'Findings', 'What stands now. The runbook has an entry for each code.', [
        [`${once('partkeeper_findings', 'target, code, severity')} > 0`, ''],
      ]),
    ],
  },
  {
    title: 'Processes',
    panels: [
      panel(
        'timeseries',
        's',
        'Since the last look',
        'How old what is known of tables and views (inventory), the queue, pauses, last runs and recent actions is. Every replica looks at each twice a minute or more.',
        [
          [
            `time() - (${ofProcess('partkeeper_collector_last_success_timestamp_seconds')} > 0)`,
            '{{instance}} {{collector}}',
          ],
        ],
      ),
      panel(
        'timeseries',
        's',
        'A look takes',
        'How long each look took; the number of statements does not depend on the number of tables.',
        [[ofProcess('partkeeper_collector_duration_seconds'), '{{instance}} {{collector}}']],
      ),
      panel(
        'timeseries',
        's',
        'Clock offset',
        "The database's clock minus the process's. From a minute on, nothing is destroyed.",
        [[ofProcess('partkeeper_database_clock_offset_seconds'), '{{instance}}']],
      ),
      panel('timeseries', 'bytes', 'Memory', 'Resident, and of it the heap in use.', [
        [ofProcess('process_resident_memory_bytes'), '{{instance}}'],
        [ofProcess('nodejs_heap_size_used_bytes'), '{{instance}} heap'],
      ]),
      panel('timeseries', 'percentunit', 'Processor', 'Share of one core.', [
        [`rate(${ofProcess('process_cpu_seconds_total')}[$__rate_interval])`, '{{instance}}'],
      ]),
      panel(
        'timeseries',
        's',
        'Event loop delay',
        'The 99th percentile of the pauses of a timer that is due every 100 ms: at rest it is 100 ms.',
        [[ofProcess('nodejs_eventloop_lag_p99_seconds'), '{{instance}}']],
      ),
      panel(
        'timeseries',
        's',
        'Sign of life',
        'How long ago each loop was last heard of, which is what /livez goes by. Each has something to do twice a minute.',
        [[`time() - (${ofProcess('partkeeper_loop_last_tick_timestamp_seconds')} > 0)`, '{{instance}} {{loop}}']],
      ),
      panel(
        'timeseries',
        'short',
        'Connections not made',
        'Attempts to connect to the database that failed, by why.',
        [
          [
            `sum by (instance, reason) (increase(${ofProcess('partkeeper_database_connect_failures_total')}[$__rate_interval]))`,
            '{{instance}} {{reason}}',
          ],
        ],
        { isStacked: true },
      ),
      panel(
        'timeseries',
        'short',
        'Lines logged',
        'By level. Those below the level that is set are not counted.',
        [[`sum by (level) (increase(${ofProcess('partkeeper_log_messages_total')}[$__rate_interval]))`, '{{level}}']],
        { isStacked: true },
      ),
      panel('timeseries', 'short', 'Stalls', 'Times the process stood still for more than a second.', [
        [`increase(${ofProcess('partkeeper_event_loop_stalls_total')}[$__rate_interval])`, '{{instance}}'],
      ]),
      panel(
        'timeseries',
        'short',
        'HTTP responses',
        'By handler and status. Responses of /readyz with 503 are the sign of a database that cannot be worked with.',
        [
          [
            `sum by (handler, code) (increase(${ofProcess('partkeeper_http_requests_total')}[$__rate_interval]))`,
            '{{handler}} {{code}}',
          ],
        ],
        { isStacked: true },
      ),
      panel('table', 'short', 'Builds', 'Which version runs where.', [[ofProcess('partkeeper_build_info'), '']]),
      panel(
        'table',
        'short',
        'Configurations',
        'Which configuration each process works by: one hash, unless a change is under way.',
        [[ofProcess('partkeeper_config_info'), '']],
      ),
      panel(
        'timeseries',
        'short',
        'Reloads',
        'Configurations that were asked for by SIGHUP; a failure is one that was refused.',
        [
          [
            `sum by (instance, outcome) (increase(${ofProcess('partkeeper_config_reloads_total')}[$__rate_interval]))`,
            '{{instance}} {{outcome}}',
          ],
        ],
      ),
    ],
  },
];

/** The metrics of the process itself, of its configuration, and of the database as it meets it. */
import { CONNECT_FAILURES } from '../domain/database.ts';
import type { MetricSpec } from './metric-spec.ts';

const PROCESS = 'Process';
const CONFIGURATION = 'Configuration';
const DATABASE = 'Database';

export const PROCESS_METRICS = {
  partkeeper_build_info: {
    section: PROCESS,
    type: 'gauge',
    labels: ['version', 'revision', 'node_version'],
    help: 'Always 1; labels identify the running build.',
    moves: 'never',
  },
  partkeeper_ready: {
    section: PROCESS,
    type: 'gauge',
    labels: [],
    help: '1 when startup finished and the daemon may execute work, 0 otherwise (same answer as /readyz).',
    moves: 'on every change of readiness',
  },
  partkeeper_shutdown_in_progress: {
    section: PROCESS,
    type: 'gauge',
    labels: [],
    help: '1 between the request to stop and the exit.',
    moves: 'once, when asked to stop',
  },
  partkeeper_event_loop_stalls_total: {
    section: PROCESS,
    type: 'counter',
    labels: [],
    help: 'Event loop delays above 1 second.',
    moves: 'at each stall',
  },
  partkeeper_loop_last_tick_timestamp_seconds: {
    section: PROCESS,
    type: 'gauge',
    labels: ['loop'],
    help: 'Unix time of the last sign of life of a loop, which is what /livez goes by; 0 before it has begun.',
    moves: 'at each round of the loop and each thing it does, whether the database answers or not',
  },
  partkeeper_log_messages_total: {
    section: PROCESS,
    type: 'counter',
    labels: ['level'],
    help: 'Lines that were logged; those below the level that is set are not counted.',
    moves: 'at each line',
  },
  partkeeper_http_requests_total: {
    section: PROCESS,
    type: 'counter',
    labels: ['handler', 'code'],
    help: 'HTTP responses by handler and status code.',
    moves: 'at each response',
  },
  partkeeper_config_info: {
    section: CONFIGURATION,
    type: 'gauge',
    labels: ['hash'],
    help: 'Always 1; hash names what the configuration in force asks for, secrets and addresses left out.',
    moves: 'when a configuration is loaded',
  },
  partkeeper_config_last_reload_success: {
    section: CONFIGURATION,
    type: 'gauge',
    labels: [],
    help: '1 if the configuration in force is the one that was asked for last, 0 if that one was refused.',
    moves: 'at the start, and at each reload',
  },
  partkeeper_config_last_reload_success_timestamp_seconds: {
    section: CONFIGURATION,
    type: 'gauge',
    labels: [],
    help: 'Unix time at which a configuration was last loaded and found valid.',
    moves: 'at the start, and at each reload that was not refused',
  },
  partkeeper_config_reloads_total: {
    section: CONFIGURATION,
    type: 'counter',
    labels: ['outcome'],
    help: 'Reloads that were asked for: success or failure. The start is none.',
    moves: 'at each reload',
  },
  partkeeper_target_info: {
    section: CONFIGURATION,
    type: 'gauge',
    labels: ['target', 'kind', 'schema', 'relation'],
    help: 'Always 1; describes a configured target. Join on target.',
    moves: 'when the configuration is loaded',
  },
  partkeeper_database_up: {
    section: DATABASE,
    type: 'gauge',
    labels: [],
    help: '1 if the server answered when facts were last read, else 0.',
    moves: 'whenever facts are read, or cannot be',
  },
  partkeeper_database_connect_failures_total: {
    section: DATABASE,
    type: 'counter',
    labels: ['reason'],
    values: { reason: CONNECT_FAILURES },
    help: "Attempts to connect that failed, by why; those of the queue's own connections are not among them.",
    moves: 'at each failed attempt',
  },
  partkeeper_database_writable: {
    section: DATABASE,
    type: 'gauge',
    labels: [],
    help: '1 if the server is not in recovery and not read-only, else 0.',
    moves: 'whenever facts are read',
  },
  partkeeper_database_info: {
    section: DATABASE,
    type: 'gauge',
    labels: ['server_version'],
    help: 'Always 1; the server version that answered last.',
    moves: 'whenever facts are read',
  },
  partkeeper_database_clock_offset_seconds: {
    section: DATABASE,
    type: 'gauge',
    labels: [],
    help: "The database's clock minus this process's clock, half the round trip taken off.",
    moves: 'whenever facts are read',
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

/** The shape of the configuration file, key by key: types, defaults, JSON Schema and reference derive from it. */
import { z } from 'zod';
import { INTERVALS } from '../domain/interval.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../domain/logging.ts';
import { NAME_FIELDS } from '../domain/naming.ts';
import type { JobName } from '../domain/plan.ts';
import { DEFAULT_POLICIES, RETIREMENTS } from '../domain/policy.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { DEFAULT_PREMAKE, DEFAULT_ZONE } from './defaults.ts';
import { parseGrace, parseListen, parseRetention, parseTimeZone, parseViewName } from './parsers.ts';
import { jobsSchema, ledgerSchema, queueSchema } from './schema-runs.ts';
import { cronZone, OFF, orOff, schedule, text, timeout } from './schema-values.ts';
import { refuseWord } from './suggest.ts';
import { TOKEN_CHARACTERS } from './tokens.ts';

/** The jobs that change a table's partitions, after which its statistics may want an ANALYZE. */
export const AFTER = ['provision', 'retire'] as const satisfies readonly JobName[];

export const databaseSchema = z.strictObject({
  url: text(parseDatabaseUrl, {
    title: 'address',
    description:
      'Where the database is. Keep its password out of the file: name a variable, or let `PGPASSWORD_FILE` supply it. Default: what the `PG…` variables say.',
    examples: ['${DATABASE_URL}', 'postgres://partkeeper@db.example:5432/app?sslmode=verify-full'],
  }).optional(),
  directUrl: text(parseDatabaseUrl, {
    title: 'address',
    description:
      'The same database without a transaction pooler in between, for locks and DDL; `url` may then go through the pooler. Takes nothing over from `url`. Default: `url`.',
    examples: ['${DIRECT_URL}'],
  }).optional(),
  pool: z
    .int()
    .min(3)
    .max(100)
    .default(4)
    .describe("The most connections held at once: one holds the run's lock, one works, one looks."),
  connectTimeout: timeout('How long one attempt to connect may take.', '10s'),
  lockTimeout: timeout(
    'How long a statement may wait for one lock. Writers queue behind it for as long, so keep it below what they tolerate.',
    '200ms',
  ),
  lockAttempts: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe('How often a transaction whose locks were not to be had is tried before the run gives up.'),
  deferIfTransactionOlderThan: timeout(
    'A transaction that has been open for longer is not waited for: what would have to wait for it is put off to the next tick, and a finding names it.',
    '5s',
  ),
  statementTimeout: timeout(
    'How long one statement may run. A refresh or ANALYZE of a large relation needs room.',
    '15min',
  ),
});

const analyze = z.strictObject({
  after: z
    .union([z.enum(AFTER), z.array(z.enum(AFTER))], {
      error: ({ input }) =>
        typeof input === 'string'
          ? refuseWord(input, AFTER)
          : `is not a job: write ${AFTER.join(' or ')}, or a list of them`,
    })
    .meta({
      description: 'Analyze when one of these jobs has changed the table; `[]` for none.',
      examples: ['provision'],
    })
    .transform(jobs => (typeof jobs === 'string' ? [jobs] : [...new Set(jobs)]))
    .prefault('provision'),
  schedule: schedule('Analyze at these times as well. Default: `jobs.analyze.schedule`, if any.', '15 3 * * *'),
  timezone: cronZone('`jobs.analyze.timezone`'),
  changedShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Skip a table of whose rows less than this share has changed since its last ANALYZE.'),
});

const table = z.strictObject({
  interval: z.enum(INTERVALS).meta({ description: 'The length of one partition.', examples: ['month'] }),
  premake: z
    .int()
    .min(1)
    .max(1_000)
    .default(DEFAULT_PREMAKE)
    .describe('How many future partitions to keep ready, beyond the current one.'),
  retention: text(parseRetention, {
    title: 'duration',
    description:
      'How long rows are kept at least: a partition is retired once its newest possible row is older. `keep forever` retires none.',
    examples: ['90 days', 'keep forever'],
  }).prefault('keep forever'),
  retire: z
    .enum(RETIREMENTS)
    .default('drop')
    .describe(
      'What becomes of an expired partition: `drop` deletes it with its rows, `detach` keeps it as a table of its own.',
    ),
  grace: text(parseGrace, {
    title: 'duration',
    description:
      'How long a partition stays as a table of its own before it is dropped; `partkeeper restore` attaches it again until then. `none`: it is dropped at once.',
    examples: ['7 days'],
  }).prefault('none'),
  maxPerRun: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe(
      'How many partitions one run retires at most; the oldest go first, the others follow with the next runs.',
    ),
  maxShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      'More than two expired partitions that hold more than this share of the table are not retired before somebody has acknowledged it (`partkeeper apply retire --acknowledge NAME`).',
    ),
  retireAfter: z
    .array(text(parseViewName, { title: 'schema.view', description: 'A view of `views`.', examples: ['app.totals'] }), {
      error: 'is not a list: write [schema.view]',
    })
    .meta({
      description:
        'A partition stays until each of these materialized views, which have to be in `views`, was refreshed after its end.',
      examples: [['app.monthly_totals']],
    })
    .default([]),
  default: z
    .enum(DEFAULT_POLICIES)
    .default('report')
    .describe(
      'What to do about a default partition: `report` says which of its rows keep a partition from being made, `drain` moves them there, `forbid` reports that there is one at all.',
    ),
  timezone: text(parseTimeZone, {
    title: 'time zone',
    description: 'IANA name; decides where a day, a month begins.',
    examples: ['Europe/Berlin'],
  }).prefault(DEFAULT_ZONE),
  name: z
    .string()
    .meta({
      title: 'name template',
      description: `How new partitions are called. Placeholders: \`{table}\`, ${Object.keys(NAME_FIELDS)
        .map(field => `\`{${field}}\``)
        .join(
          ', ',
        )}. Existing partitions are never recognised by name. Default: by interval, such as \`{table}_{YYYY}_{MM}\`.`,
      examples: ['{table}_{YYYY}_{MM}'],
    })
    .optional(),
  probe: z
    .boolean()
    .default(true)
    .describe(
      'After a partition is created, try with an insert that is rolled back that rows land in it? Never done where triggers, rules or forced row security could make more of it, and no sequence is asked.',
    ),
  analyze: orOff(analyze, "keys such as 'after'")
    .prefault({})
    .describe(
      'When to bring the statistics of the whole table up to date; autovacuum never does that for a parent. `off`: never.',
    ),
});

const view = z.strictObject({
  schedule: schedule(
    'When to refresh. Default: `jobs.refresh.schedule`, if any; without one, only when asked to.',
    '*/5 * * * *',
  ),
  timezone: cronZone('`jobs.refresh.timezone`'),
  populate: z
    .boolean()
    .default(true)
    .describe('May a view that was never populated be filled with a plain refresh? Nobody can read it before that.'),
  blocking: z
    .boolean()
    .default(false)
    .describe('May a view that cannot be refreshed concurrently be refreshed under a lock that stops its readers?'),
  skipUnchanged: z
    .boolean()
    .default(true)
    .describe('Leave a refresh out when nothing that the view reads has changed since the last one.'),
});

const http = z.strictObject({
  listen: text(parseListen, {
    title: 'host:port',
    description: 'Where probes and metrics are served. In a container, `0.0.0.0:9465`.',
    examples: ['127.0.0.1:9465', '[::1]:9465'],
  }).prefault('127.0.0.1:9465'),
});

const triggers = z.strictObject({
  listen: text(parseListen, {
    title: 'host:port',
    description: 'Where requests for runs are taken.',
    examples: ['127.0.0.1:9466', '[::1]:9466'],
  }).prefault('127.0.0.1:9466'),
  tokenFile: z
    .string()
    .min(1, 'is empty: name the file with the tokens')
    .meta({
      description: `The file with the tokens that are accepted, one a line, as \`token\` or \`name:token\`; ${TOKEN_CHARACTERS.least} characters at least. Others on the machine must not be able to read it. It is read at each request, so tokens may be rotated.`,
      examples: ['/run/secrets/partkeeper-tokens'],
    }),
});

const log = z.strictObject({
  level: z.enum(LOG_LEVELS).default('info').describe('The least severe messages that are written.'),
  format: z
    .enum(LOG_FORMATS)
    .optional()
    .describe('One JSON object a line, or lines for people. Default: `pretty` on a terminal, else `json`.'),
});

export const fileSchema = z
  .strictObject({
    database: databaseSchema
      .prefault({})
      .describe('How to reach the database, and how long statements may wait and run.'),
    tables: z
      .record(z.string(), table)
      .default({})
      .describe('The partitioned tables, by name: `schema.table`, quoted as in SQL where needed.'),
    views: z.record(z.string(), view).default({}).describe('The materialized views, by name: `schema.view`.'),
    jobs: jobsSchema
      .prefault({})
      .describe(
        'When each job is due, and what becomes of a time that cannot be kept. Cron patterns have five parts, or six with seconds first.',
      ),
    queue: queueSchema.prefault({}).describe('The queue that hands every run to one replica.'),
    ledger: ledgerSchema
      .prefault({})
      .describe('The record of what was done, in the tables `partkeeper.runs` and `partkeeper.actions`.'),
    http: orOff(http, "keys such as 'listen'").prefault({}).describe('The server for probes and metrics. `off`: none.'),
    triggers: orOff(triggers, "keys such as 'tokenFile'")
      .default(OFF)
      .describe(
        'The server that takes requests for runs, `POST /trigger`, from those who have a token. It speaks plain HTTP: where others can reach it, put what speaks TLS before it. `off`: none.',
      ),
    log: log.prefault({}).describe('What is logged, and how.'),
  })
  .meta({ title: 'partkeeper configuration', description: 'partkeeper.yaml' });

/** A file that passed: every text parsed, every default filled in. */
export type FileConfig = z.output<typeof fileSchema>;

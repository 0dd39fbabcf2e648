import { expect, test } from 'vitest';
import { aTable, load, problemsOf } from './loading.ts';

const LENGTH = "is not a length of time: write a whole number and a unit, such as '200ms', '30s' or '15min'";

test.each([
  // The queue.
  [
    aTable('queue: { schema: Jobs }\n'),
    "4:18: queue.schema: 'Jobs' is not a plain name: use lower-case letters, digits and _, such as 'partkeeper_queue'",
  ],
  [aTable("queue: { schema: '1st' }\n"), "4:18: queue.schema: '1st' is not a plain name: use lower-case letters"],
  [aTable('queue: { schema: my-queue }\n'), "'my-queue' is not a plain name"],
  [aTable("queue: { schema: '' }\n"), "4:18: queue.schema: '' is not a plain name"],
  ...['partkeeper', 'public', 'pg_catalog', 'pg_', 'information_schema'].map(schema => [
    aTable(`queue: { schema: ${schema} }\n`),
    `4:18: queue.schema: '${schema}' is a schema with a use of its own: write 'partkeeper_queue'`,
  ]),
  [
    aTable(`queue: { schema: ${'q'.repeat(51)} }\n`),
    `queue.schema: '${'q'.repeat(51)}' is 51 bytes long: use a name of 50 at most`,
  ],
  [aTable('queue: { schma: q }\n'), "4:10: queue.schma: is not a known key: did you mean 'schema'?"],
  [aTable('queue: { runTimeout: 60 }\n'), `4:22: queue.runTimeout: '60' ${LENGTH}`],
  [aTable('queue: { runTimeout: 0min }\n'), "'0min' is zero, and a run needs time: write '1 hour'"],
  [aTable('queue: { runTimeout: 24h }\n'), "'24h' is longer than the queue lets a run take: use 23 hours or less"],
  [
    aTable('queue: { runTimeout: 901999ms }\n'),
    "4:22: queue.runTimeout: '901999ms' is less than one action may take, 15min for a statement and 10 × 200ms for its locks: write 902s or more",
  ],
  [
    aTable('database: { statementTimeout: 1h }\n'),
    "4:31: database.statementTimeout: '1h' makes one action longer than a run may take, which is 1h: 1h for a statement and 10 × 200ms for its locks: write queue.runTimeout: 3602s or more",
  ],
  [
    aTable('database: { lockAttempts: 100, lockTimeout: 1min }\n'),
    "4:27: database.lockAttempts: '100' makes one action longer than a run may take, which is 1h: 15min for a statement and 100 × 1min for its locks: write queue.runTimeout: 115min or more",
  ],
  [
    aTable('database: { lockTimeout: 5min }\n'),
    "4:26: database.lockTimeout: '5min' makes one action longer than a run may take, which is 1h: 15min for a statement and 10 × 5min for its locks: write queue.runTimeout: 65min or more",
  ],
  [
    aTable('database: { statementTimeout: 23h }\nqueue: { runTimeout: 23h }\n'),
    "5:22: queue.runTimeout: '23h' is less than one action may take, 23h for a statement and 10 × 200ms for its locks: let statements and locks take 23h together at most",
  ],
  // The ledger.
  [
    aTable('ledger: { retention: 30 days }\n'),
    "4:22: ledger.retention: '30 days' is shorter than a month: write '1 month' or more, or 'keep forever'",
  ],
  [aTable('ledger: { retention: 743 hours }\n'), "'743 hours' is shorter than a month"],
  [aTable('ledger: { retention: 365 }\n'), "4:22: ledger.retention: '365' has no unit: write '365 days'"],
  [aTable('ledger: { retntion: 1 year }\n'), "4:11: ledger.retntion: is not a known key: did you mean 'retention'?"],
  // Ticks.
  [
    aTable('jobs: { retire: { overlap: queue } }\n'),
    "4:28: jobs.retire.overlap: 'queue' is not known here: use one of skip, queue-one",
  ],
  [
    aTable('jobs: { retire: { catchUp: all } }\n'),
    "4:28: jobs.retire.catchUp: 'all' is not known here: use one of once, skip",
  ],
  [
    aTable('jobs: { retire: { catchup: once } }\n'),
    "4:19: jobs.retire.catchup: is not a known key: did you mean 'catchUp'?",
  ],
  [
    aTable('jobs: { retire: { catchUpWindow: 1 } }\n'),
    "4:34: jobs.retire.catchUpWindow: '1' has no unit: write '1 days'",
  ],
  [
    aTable('jobs: { retire: { catchUpWindow: 0 days } }\n'),
    `'0 days' is zero, and zero never means "everything" here: write '31 days'`,
  ],
  [aTable('jobs: { retire: { jitter: 30 } }\n'), `4:27: jobs.retire.jitter: '30' ${LENGTH}`],
  [aTable('jobs: { retire: { jitter: 0s } }\n'), "4:27: jobs.retire.jitter: '0s' is zero: write 'none'"],
  [
    aTable('jobs: { provision: { jitter: 24h } }\n'),
    "4:30: jobs.provision.jitter: '24h' is not shorter than the shortest gap of schedule '10 0 * * *': write less than 24h",
  ],
  [
    'tables: { a.b: { interval: hour } }\njobs: { retire: { jitter: 1h } }\n',
    "2:27: jobs.retire.jitter: '1h' is not shorter than the shortest gap of schedule '40 * * * *': write less than 1h",
  ],
  [
    "views: { a.b: { schedule: '0 * * * *' }, a.c: { schedule: '*/7 * * * *' }, a.d: {} }\njobs: { refresh: { jitter: 5min } }\n",
    "2:28: jobs.refresh.jitter: '5min' is not shorter than the shortest gap of schedule '*/7 * * * *': write less than 4min",
  ],
  [
    "views: { a.b: {} }\njobs: { refresh: { schedule: '* * * * *', jitter: 1min } }\n",
    "2:51: jobs.refresh.jitter: '1min' is not shorter than the shortest gap of schedule '* * * * *': write less than 1min",
  ],
  [
    aTable("    analyze: { schedule: '10 3 * * *', timezone: Europe/Berlin }\njobs: { analyze: { jitter: 23h } }\n"),
    "5:28: jobs.analyze.jitter: '23h' is not shorter than the shortest gap of schedule '10 3 * * *': write less than 23h",
  ],
  // The ledger's own tables.
  [
    "tables: { a.b: { interval: year } }\njobs: { provision: { schedule: '0 0 1 */3 *' } }\n",
    "2:32: jobs.provision.schedule: of partkeeper.runs and partkeeper.actions, 2 months ahead do not last from one run of provision to the next: schedule '0 0 1 */3 *' puts them up to 2208 hours apart: let provision run once a month or more often",
  ],
])('refused: %s', (yaml, expected) => {
  const problems = problemsOf(yaml);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(expected);
});

test('a mistake beside them does not hide that a run is too short, or jitter too long', () => {
  const yaml = `database: { pool: 0, statementTimeout: 30min }
queue: { schema: Q, runTimeout: 20min }
views: { a.b: { schedule: '* * * * *', populat: true } }
jobs: { refresh: { jitter: 2min, overlap: none } }
`;
  expect(problemsOf(yaml)).toEqual([
    expect.stringContaining('1:19: database.pool'),
    expect.stringContaining('2:18: queue.schema'),
    expect.stringContaining('2:33: queue.runTimeout'),
    expect.stringContaining('3:40: views."a.b".populat'),
    expect.stringContaining('4:28: jobs.refresh.jitter'),
    expect.stringContaining('4:43: jobs.refresh.overlap'),
  ]);
});

test.each([
  ['a run that has just the time for one action', aTable('queue: { runTimeout: 902s }\n')],
  ['a schema of 50 bytes', aTable(`queue: { schema: ${'q'.repeat(50)} }\n`)],
  ['jitter just below the gap', aTable('jobs: { provision: { jitter: 86399s } }\n')],
  ['jitter of a job that nothing comes due for', aTable('jobs: { refresh: { jitter: 480h } }\n')],
  [
    'jitter that only a schedule which nobody follows is too tight for',
    "views: { a.b: { schedule: '0 3 * * *' } }\njobs: { refresh: { schedule: '* * * * *', jitter: 1h } }\n",
  ],
  [
    'jitter, where what is analyzed is off',
    aTable('    analyze: off\njobs: { analyze: { schedule: "* * * * *", jitter: 1h } }\n'),
  ],
  [
    'creating every second month',
    "tables: { a.b: { interval: year } }\njobs: { provision: { schedule: '0 0 1 */2 *' } }",
  ],
  [
    'creating four times a year, where the tables of the ledger are kept ready for longer',
    "tables:\n  a.b: { interval: year }\n  partkeeper.runs: { interval: quarter }\n  partkeeper.actions: { interval: year }\njobs: { provision: { schedule: '0 0 1 */3 *' } }",
  ],
])('accepted: %s', (_, yaml) => {
  expect(() => load(yaml)).not.toThrow();
});

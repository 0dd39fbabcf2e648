import { describe, expect, test } from 'vitest';
import { aTable, aView, errorOf, load, problemDataOf, problemsOf } from './loading.ts';

describe('five mistakes', () => {
  const yaml = `# what we keep
database: { pool: 0 }
tables:
  unified.events:
    interval: monht
    premake: 2
    retention: 90
views:
  unified.recent:
    schedule: '61 * * * *'
    skipUnchangd: true
`;

  test('are told at once, each with its place and its cure', () => {
    expect(problemsOf(yaml)).toEqual([
      "partkeeper.yaml:2:19: database.pool: '0' is too small: use 3 or more",
      'partkeeper.yaml:5:15: tables."unified.events".interval: ' +
        "'monht' is not one of hour, day, week, month, quarter, year: did you mean 'month'?",
      `partkeeper.yaml:7:16: tables."unified.events".retention: '90' has no unit: write '90 days'`,
      `partkeeper.yaml:10:15: views."unified.recent".schedule: '61 * * * *' is not a cron pattern ` +
        "(Invalid value for minute: 61): write minute, hour, day, month and weekday, such as '15 3 * * *'",
      `partkeeper.yaml:11:5: views."unified.recent".skipUnchangd: is not a known key: did you mean 'skipUnchanged'?`,
    ]);
  });

  test('are data as well', () => {
    expect(problemDataOf(yaml)[2]).toEqual({
      file: 'partkeeper.yaml',
      line: 7,
      column: 16,
      path: 'tables."unified.events".retention',
      message: "'90' has no unit",
      suggestion: "write '90 days'",
    });
  });

  test('make one error with the code for configurations', () => {
    const error = errorOf(() => load(yaml));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message.split('\n')).toEqual(['5 problems in the configuration', ...problemsOf(yaml)]);
  });
});

const TABLE = 'tables."unified.events"';
const DURATION = "write a whole number and a unit, such as '90 days', '12 hours' or '3 months'";
const LENGTH = "is not a length of time: write a whole number and a unit, such as '200ms', '30s' or '15min'";
const CRON = "write minute, hour, day, month and weekday, such as '15 3 * * *'";
const EMPTY = 'write tables: or views:, or remove the file to use the bundled policy';

describe('refused, and why:', () => {
  test.each([
    // Durations.
    ['retention: 90', `4:16: ${TABLE}.retention: '90' has no unit: write '90 days'`],
    ["retention: '90'", `4:16: ${TABLE}.retention: '90' has no unit: write '90 days'`],
    ['retention: 0 days', `zero, and zero never means "everything" here: write '90 days', or 'keep forever'`],
    ['retention: -1 day', `'-1 day' is not a duration: ${DURATION}`],
    ['retention: 1.5 days', `'1.5 days' is not a duration: ${DURATION}`],
    ['retention: 90 dayz', `'90 dayz' has the unknown unit 'dayz': use hours, days, weeks, months or years`],
    ['retention: keep forevr', `'keep forevr' is not a duration: did you mean 'keep forever'?`],
    ['retention:', `4:15: ${TABLE}.retention: has no value: write one, or remove the key`],
    ['retention: [90 days]', `4:16: ${TABLE}.retention: is not text: write it in quotes`],
    // Words and numbers.
    ['retire: dorp', `4:13: ${TABLE}.retire: 'dorp' is not one of drop, detach: did you mean 'drop'?`],
    ['retire: archive', `'archive' is not known here: use one of drop, detach`],
    ['premake: 0', `4:14: ${TABLE}.premake: '0' is too small: use 1 or more`],
    ['premake: 1001', `'1001' is too large: use 1000 or less`],
    ['premake: 1.5', `'1.5' is not a whole number: write digits alone`],
    ["premake: '2'", `'2' is not a number: write digits alone`],
    ['premak: 2', `4:5: ${TABLE}.premak: is not a known key: did you mean 'premake'?`],
    ['colour: red', 'is not a known key: the keys here are interval, premake, retention, retire, '],
    ['__proto__: { premake: 3 }', `4:5: ${TABLE}.__proto__: is not a known key`],
    // Time zones.
    ['timezone: Europe/Berln', `'Europe/Berln' is not a time zone: did you mean 'Europe/Berlin'?`],
    ['timezone: Berlin', `'Berlin' is not a time zone: did you mean 'Europe/Berlin'?`],
    ['timezone: Middle/Earth/East', `is not a time zone: write an IANA name, such as 'Europe/Berlin'`],
    ["timezone: '2026-01-01T00:00Z'", `is not a time zone`],
    // Names of partitions.
    ["name: '{table}_{YYY}'", `'{table}_{YYY}' has the unknown placeholder {YYY}: use {table}, {YYYY}`],
    ["name: '{table}_{YYYY}'", 'would give two partitions of one month interval the same name: it needs {YYYY}, {MM}'],
    // What becomes of a partition.
    ['grace: 7', `${TABLE}.grace: '7' has no unit: write '7 days'`],
    ['grace: 0 days', `${TABLE}.grace: '0 days' is zero`],
    ['maxPerRun: 0', `'0' is too small: use 1 or more`],
    ['maxShare: 1.5', `'1.5' is too large: use 1 or less`],
    ['retireAfter: [totals]', `${TABLE}.retireAfter[0]: 'totals' names no schema`],
    ['retireAfter: [app.totals]', `${TABLE}.retireAfter[0]: 'app.totals' is not among the views: add it to views`],
    ['retireAfter: app.totals', `${TABLE}.retireAfter: 'app.totals' is not a list: write [schema.view]`],
    // ANALYZE.
    ['analyze: 5', `4:14: ${TABLE}.analyze: '5' is neither off nor a set of keys: write off, or keys such as 'after'`],
    ['analyze: false', `'false' is neither off nor a set of keys: write off`],
    [
      'analyze: { after: provison }',
      `4:23: ${TABLE}.analyze.after: 'provison' is not one of provision, retire: did you`,
    ],
    ['analyze: { after: [retire, analyze] }', `4:32: ${TABLE}.analyze.after[1]: 'analyze' is not known here`],
    ['analyze: { after: 3 }', `'3' is not a job: write provision or retire, or a list of them`],
    ['analyze: { schedul: x }', `${TABLE}.analyze.schedul: is not a known key: did you mean 'schedule'?`],
    ['analyze: { changedShare: 2 }', `'2' is too large: use 1 or less`],
    ['analyze: { changedShare: 10% }', `'10%' is not a number: write digits alone`],
  ])('%s', (line, expected) => {
    const problems = problemsOf(aTable(`    ${line}\n`));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  test.each([
    // Schedules.
    [aView("{ schedule: '* * *' }"), `2:26: views."unified.v".schedule: '* * *' is not a cron pattern (`],
    [aView("{ schedule: '0 0 30 2 *' }"), `'0 0 30 2 *' never comes due: ${CRON}`],
    [aView("{ schedule: '2030-01-01T00:00:00' }"), `'2030-01-01T00:00:00' is a moment, not a cron pattern: ${CRON}`],
    [aView("{ schedule: '@reboot' }"), `'@reboot' is not a cron pattern`],
    [aView("{ schedule: '* * * * * * 2030' }"), 'is not a cron pattern'],
    [aView('{ schedule: 5 }'), `'5' is not a cron pattern`],
    [aView('{ populate: yes }'), `'yes' is not true or false: write true or false`],
    [aView(''), `2:14: views."unified.v": has no value: write {} for the defaults, or remove the key`],
    // Sections.
    [aTable('jobs: { provison: {} }\n'), "4:9: jobs.provison: is not a known key: did you mean 'provision'?"],
    [aTable('jobs: { retire: daily }\n'), "4:17: jobs.retire: 'daily' is not a set of keys: write its keys below it"],
    [aTable('jobs: { retire: { timezone: Mars } }\n'), "4:29: jobs.retire.timezone: 'Mars' is not a time zone"],
    [aTable('logs: {}\n'), "4:1: logs: is not a known key: did you mean 'log'?"],
    [
      aTable('log: { level: inof }\n'),
      "4:15: log.level: 'inof' is not one of fatal, error, warn, info, debug, trace: did",
    ],
    [aTable('log:\n'), '4:5: log: has no value: write {} for the defaults, or remove the key'],
    [aTable('log: { format: xml }\n'), "log.format: 'xml' is not known here: use one of json, pretty"],
    [aTable('http: on\n'), "4:7: http: is neither off nor a set of keys: write off, or keys such as 'listen'"],
    [
      aTable('http: { listen: 9000 }\n'),
      "http.listen: '9000' is not an address and a port: write host:port, such as '127.0.0.1:9000'",
    ],
    [aTable('http: { listen: localhost:70000 }\n'), 'is not an address and a port'],
    [aTable('database: { lockTimeout: 200 }\n'), `4:26: database.lockTimeout: '200' ${LENGTH}`],
    [aTable('database: { statementTimeout: 0s }\n'), `'0s' is zero, which PostgreSQL reads as "wait for ever"`],
    [aTable('database: { url: mysql://db/app }\n'), '4:18: database.url: is not an address of a PostgreSQL database'],
    [aTable("database: { url: 'postgres://u:p/w@h/db' }\n"), 'percent-encode special characters in the password'],
    [aTable("database: { url: 'postgres://h/db?sslmode=requre' }\n"), 'sslmode that is not one of disable, allow'],
    [aTable('database: [1]\n'), '4:11: database: is not a set of keys'],
    [aTable('database: { pool: 2 }\n'), "4:19: database.pool: '2' is too small: use 3 or more"],
    [aTable('database: { directUrl: db.example }\n'), '4:24: database.directUrl: is not an address of a PostgreSQL'],
    [
      aTable("database: { directUrl: '${DIRECT_URL}' }\n"),
      '4:24: database.directUrl: needs the environment variable DI',
    ],
    // Names of relations.
    [
      'tables: { events: { interval: day } }\n',
      "1:11: tables.events: 'events' names no schema: write it as schema.table",
    ],
    ['tables: { a.b.c: { interval: day } }\n', `1:11: tables."a.b.c": 'a.b.c' is not a table name: write schema.table`],
    ['tables: { a.b: {} }\n', `1:11: tables."a.b".interval: is missing: write interval: month`],
    ['tables: [a.b]\n', '1:9: tables: is not a set of names: write schema.name: below it, indented'],
    [
      'tables: { unified.events: { interval: day }, Unified.Events: { interval: day } }\n',
      `1:46: tables."Unified.Events": is named twice, first in line 1: use one of the two`,
    ],
    [
      'tables:\n  a.b: { interval: day }\n  a.b: { interval: month }\n',
      `3:3: tables."a.b": is named twice, first in line 2`,
    ],
    ['views: { a.b: {}, a.B: {} }\n', `1:19: views."a.B": is named twice, first in line 1`],
    ['tables: { a.b: { interval: day } }\nviews: { a.b: {} }\n', `2:10: views."a.b": is named as a table as well`],
    // Too few partitions for the time until provision runs again.
    [
      "tables: { a.b: { interval: hour } }\njobs: { provision: { schedule: '0 3 * * *' } }\n",
      `tables."a.b".premake: 2 hours ahead do not last from one run of provision to the next: schedule '0 3 * * *' puts them up to 24 hours apart: write premake: 24`,
    ],
    // The file as a whole.
    ['', `partkeeper.yaml: is empty: ${EMPTY}`],
    ['\n  \n', `partkeeper.yaml: is empty: ${EMPTY}`],
    ['# later\n', `partkeeper.yaml: holds only comments: ${EMPTY}`],
    ['- a\n', `partkeeper.yaml:1:1: is a list, not a set of keys: ${EMPTY}`],
    ['hello\n', 'partkeeper.yaml:1:1: is a single value, not a set of keys'],
    ['tables: {}\n', 'partkeeper.yaml: names nothing to maintain: write at least one table or view'],
    ['log: { level: info }\n', 'partkeeper.yaml: names nothing to maintain'],
    // YAML.
    ['tables:\n\ta.b: {}\n', '2:1: a tab is used for indentation: use spaces'],
    ['log: { level: info }\nlog: { level: warn }\nviews: { a.b: {} }\n', '2:1: log: is named twice, first in line 1'],
    [
      'database: { url: ${DATABASE_URL}, pool: 4 }\n',
      "1:19: inside { } a value with ${…} needs quotes: write '${NAME}'",
    ],
    [
      'tables: { a.b: { interval: *day } }\n',
      '1:28: tables."a.b".interval: refers to the anchor \'day\', which is not there',
    ],
    ['views: { a.b: !secret {} }\n', '1:15: a tag (!…) is not known here: write the plain value'],
    ['views: { a.b: {} }\n---\nviews: {}\n', '2:1: a second document starts here: write one document a file'],
    ['views: { a.b: { schedule: @daily } }\n', '1:27: a value starts with a character that YAML reserves'],
    ['views: { a.b: {}\n', 'the indentation does not fit the lines around it, or a bracket is left open'],
    ["views: { a.b: { schedule: '* * *\n", 'a closing quote, bracket or colon is missing'],
  ])('%s', (yaml, expected) => {
    const problems = problemsOf(yaml);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  test('aliases that multiply, without the time that would take', () => {
    const levels = Array.from(
      { length: 20 },
      (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level}, `.repeat(9)}*a${level}]`,
    );
    expect(problemsOf(['a0: &a0 [x]', ...levels].join('\n'))).toContainEqual(
      expect.stringContaining('holds more values'),
    );
  });

  test.each([
    ['an alias of its own', 'views: &v\n  a.b: *v\n', 'holds more values, or deeper ones'],
    ['brackets, nested deeper than the parser can follow', `views: ${'['.repeat(20_000)}`, 'nested too deeply'],
  ])('%s', (_, yaml, expected) => {
    expect(problemsOf(yaml)).toEqual([expect.stringContaining(expected)]);
  });

  test('a misspelt interval does not hide a wrong name', () => {
    expect(problemsOf("tables: { a.b: { interval: monht, name: 'p_{YYYY}' } }")).toHaveLength(2);
  });
});

describe('accepted:', () => {
  test.each([
    ['a byte order mark', `\uFEFF${aTable()}`],
    ['an anchor and its alias', 'views:\n  a.b: &often { schedule: "*/5 * * * *" }\n  a.c: *often\n'],
    ['hourly partitions, for which provision runs hourly', 'tables: { a.b: { interval: hour, premake: 1 } }'],
    ['daily partitions, one ahead', 'tables: { a.b: { interval: day, premake: 1 } }'],
    [
      'a day of summer time',
      'tables: { a.b: { interval: day, premake: 1 } }\njobs: { provision: { timezone: Europe/Berlin } }',
    ],
    ['retention shorter than an interval', aTable('    retention: 12 hours\n')],
    ['seconds in a schedule', aView("{ schedule: '*/30 * * * * *' }")],
    ['29 February', aView("{ schedule: '0 0 29 2 *' }")],
    ['quoted names', `tables: { '"Weird.Schema"."T 1"': { interval: day } }`],
    ['two names that only quotes tell apart', `views: { a.b: {}, 'a."B"': {} }`],
  ])('%s', (_, yaml) => {
    expect(() => load(yaml)).not.toThrow();
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MaintenanceError } from '../../../src/domain/errors.ts';
import { createLogger, type Logger, type LoggerOptions } from '../../../src/report/logger.ts';

/** The logger and the lines it wrote, each with its line end. */
function aLogger(options: Partial<LoggerOptions> = {}): { readonly logger: Logger; readonly written: string[] } {
  const written: string[] = [];
  const destination = { write: (line: string) => written.push(line) };
  return { logger: createLogger({ level: 'debug', format: 'json', destination, ...options }), written };
}

const parse = (line: string | undefined): Record<string, unknown> => {
  const fields: Record<string, unknown> = JSON.parse(line ?? 'null');
  return fields;
};

// Line feed, a forged line, a terminal's red in both spellings, the Unicode line end, and a mark that turns the writing.
const NASTY = 'x\n{"level":"error","msg":"forged"}\r\u001b[31m\u009b31m\u2028\u202e';

describe('json', () => {
  test('has an ISO time, the level as a word, and the fields', () => {
    const { logger, written } = aLogger();
    logger.info({ job: 'retire', text: 'a sentence' }, 'action finished');
    expect(parse(written[0])).toMatchObject({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      job: 'retire',
      msg: 'action finished',
      text: 'a sentence',
    });
  });

  test('nothing in a field, a name or a message can break the line', () => {
    const { logger, written } = aLogger();
    logger.info({ relation: NASTY, [NASTY]: 1 }, NASTY);
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^[^\p{Cc}\u2028\u202e]*\n$/u);
    // Escaped, not changed: a reader of the JSON gets the very name.
    expect(parse(written[0])).toMatchObject({ relation: NASTY, msg: NASTY, [NASTY]: 1 });
  });

  test('writes no password, wherever it is', () => {
    const { logger, written } = aLogger();
    const url = 'postgres://app:hunter2@db/app';
    logger.error(new Error(`connect ${url}`, { cause: new Error(url) }));
    logger.error({ err: new MaintenanceError('CONNECTION_FAILED', url, { cause: new Error(url) }) }, 'failed: %s', url);
    logger.warn({ url, password: 'hunter2' }, url);
    expect(written).toHaveLength(3);
    expect(written.join('')).not.toContain('hunter2');
    expect(parse(written[0])).toMatchObject({
      msg: 'connect postgres://app:[redacted]@db/app',
      err: { type: 'Error' },
    });
    expect(parse(written[1])).toMatchObject({
      msg: 'failed: postgres://app:[redacted]@db/app',
      err: { code: 'CONNECTION_FAILED', cause: { message: 'postgres://app:[redacted]@db/app' } },
    });
  });

  test('a level below the one asked for is not written', () => {
    const { logger, written } = aLogger({ level: 'warn' });
    logger.info('no');
    logger.warn('yes');
    expect(written.map(line => parse(line).msg)).toEqual(['yes']);
  });

  test('lines are counted by level, those that are not written are not', () => {
    const counted: string[] = [];
    const { logger } = aLogger({ level: 'info', onLine: level => counted.push(level) });
    logger.debug('no');
    logger.info('one');
    logger.fatal({ a: 1 }, 'two');
    expect(counted).toEqual(['info', 'fatal']);
  });
});

describe('pretty', () => {
  test('shows time, level and the sentence, and no fields', () => {
    const { logger, written } = aLogger({ format: 'pretty' });
    logger.warn({ job: 'retire', run: 'r1', text: 'drop unified.t: done in 41 ms' }, 'action finished');
    expect(written.join('')).toMatch(/^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\] WARN: drop unified\.t: done in 41 ms\n$/);
  });

  test('falls back to the message', () => {
    const { logger, written } = aLogger({ format: 'pretty' });
    logger.info('plain');
    logger.info({ text: 3 }, 'still plain');
    expect(written.map(line => line.slice(line.indexOf('INFO')))).toEqual(['INFO: plain\n', 'INFO: still plain\n']);
  });

  test('a sentence stays on its line and has no colour', () => {
    const { logger, written } = aLogger({ format: 'pretty' });
    logger.info({ text: NASTY, relation: NASTY }, NASTY);
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^[^\p{Cc}\u2028\u202e]*\n$/u);
    expect(written[0]).toContain('x\\n{"level":"error"');
  });

  test('an error shows no stack and no password', () => {
    const { logger, written } = aLogger({ format: 'pretty' });
    logger.error(new Error('connect postgres://app:hunter2@db'));
    expect(written.join('')).toMatch(/ERROR: connect postgres:\/\/app:\[redacted\]@db\n$/);
  });
});

describe('standard output', () => {
  const script = `
    import { createLogger } from '${fileURLToPath(new URL('../../../src/report/logger.ts', import.meta.url))}';
    const logger = createLogger({ level: 'info', format: process.argv[1] });
    for (let line = 0; line < 1000; line += 1) logger.info({ line, text: 'x'.repeat(1000) }, 'line');
    setTimeout(() => { logger.info('last'); process.exitCode = 7; }, 50);
  `;
  const start = (format: string, stdout: 'pipe' | number) =>
    spawn(process.execPath, ['--input-type=module-typescript', '--eval', script, format], {
      stdio: ['ignore', stdout, 'pipe'],
    });

  test.each(['json', 'pretty'])('a reader that goes away does not end the process (%s)', async format => {
    const child = start(format, 'pipe');
    child.stdout?.destroy();
    expect(await once(child, 'exit')).toEqual([7, null]);
  });

  test.skipIf(!existsSync('/dev/full'))('neither does a full disk', async () => {
    const child = start('json', openSync('/dev/full', 'w'));
    expect(await once(child, 'exit')).toEqual([7, null]);
  });

  test('what was logged before an immediate exit is there', async () => {
    const child = spawn(
      process.execPath,
      ['--input-type=module-typescript', '--eval', `${script.split('setTimeout')[0]} process.exit(3);`, 'pretty'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    expect(await once(child, 'close')).toEqual([3, null]);
    expect(Buffer.concat(chunks).toString().split('\n')).toHaveLength(1001);
  });
});

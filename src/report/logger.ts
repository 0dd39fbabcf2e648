/** Where log lines go and what they look like; what they say is in `log.ts`. */
import { isatty } from 'node:tty';
import { pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';
import { LOG_LEVELS, type LogFormat, type LogLevel } from '../domain/logging.ts';
import { printable } from './figures.ts';
import { redact, redactFields } from './redact.ts';

/** Takes whole lines, each with its line end. */
export interface LogDestination {
  write(line: string): unknown;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Standard output unless given. */
  readonly destination?: LogDestination | undefined;
  /** Called with the level of each line. */
  readonly onLine?: ((level: LogLevel) => void) | undefined;
}

/** No `child`: its fields would pass by the redaction. */
export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled' | 'level'>;

/** A logger that never writes a password, never lets a name break a line, and outlives its reader. */
export const createLogger = ({ level, format, destination, onLine }: LoggerOptions): Logger => {
  const target = destination ?? standardOutput();
  return pino(
    {
      level,
      timestamp: stdTimeFunctions.isoTime,
      // Our own copy of the fields is plain data already; pino's would look into causes that we have masked.
      serializers: { err: (value: unknown) => value },
      formatters: {
        level: label => ({ level: label }),
        log: fields => redactFields(fields),
      },
      hooks: {
        logMethod(args, method, number) {
          const name = LOG_LEVELS.find(each => pino.levels.values[each] === number);
          if (name) onLine?.(name);
          // Left alone, pino takes an error's message, passwords and all, as the message of the line.
          if (args.length === 1 && args[0] instanceof Error) args.push(args[0].message);
          for (const [index, part] of args.entries()) if (typeof part === 'string') args[index] = redact(part);
          method.apply(this, args);
        },
        streamWrite: escapeControls,
      },
    },
    format === 'pretty' ? prettyLines(target, destination === undefined) : target,
  );
};

/** JSON escapes only what is below U+0020; a terminal also obeys U+009B, and U+2028 ends a line for some readers. */
const escapeControls = (line: string): string =>
  line.endsWith('\n') ? `${printable(line.slice(0, -1))}\n` : printable(line);

/** Standard output, written before the call returns: a process that ends at once still tells why. */
function standardOutput(): LogDestination {
  // A reader that stopped reading costs lines, never the memory or the life of the daemon.
  const stream = pino.destination({ fd: 1, sync: true, maxLength: 1_048_576 });
  stream.on('error', () => {});
  return stream;
}

// As a function rather than as its stream: the stream hands lines on later, and a process that exits loses them.
function prettyLines(target: LogDestination, isStandardOutput: boolean): LogDestination {
  const toLine = pretty.prettyFactory({
    colorize: isStandardOutput && isatty(1) && pretty.isColorSupported,
    translateTime: "UTC:yyyy-mm-dd'T'HH:MM:ss'Z'",
    ignore: 'pid,hostname',
    hideObject: true,
    messageFormat: ({ text, msg }) => printable([text, msg].find(part => typeof part === 'string') ?? ''),
  });
  return { write: line => target.write(toLine(line) ?? '') };
}

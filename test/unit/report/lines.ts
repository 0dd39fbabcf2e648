/** A log in memory. */
import type { LogLevel } from '../../../src/domain/logging.ts';
import type { Emit } from '../../../src/report/events.ts';
import { type LogOptions, logEvents } from '../../../src/report/log.ts';
import { createLogger } from '../../../src/report/logger.ts';

export type Line = Record<string, unknown> & { readonly level: string; readonly msg: string; readonly text: string };

export function aLog(
  level: LogLevel = 'info',
  options: LogOptions = {},
): { readonly emit: Emit; readonly lines: () => Line[] } {
  const written: Line[] = [];
  const destination = {
    write(text: string) {
      const line: Line = JSON.parse(text);
      written.push(line);
    },
  };
  return {
    emit: logEvents(createLogger({ level, format: 'json', destination }), options),
    /** Those since the last time. */
    lines: () => written.splice(0),
  };
}

export const levels = (lines: readonly Line[]): readonly string[] => lines.map(({ level, msg }) => `${level} ${msg}`);

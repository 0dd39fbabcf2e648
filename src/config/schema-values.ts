/** The kinds of values that the schema is made of. */
import { z } from 'zod';
import { type Parsed, parseTimeout } from '../domain/duration.ts';
import { parseSchedule, parseTimeZone } from './parsers.ts';

/** The word that turns a part off. YAML 1.2 reads it as text, not as false. */
export const OFF = 'off';

interface About {
  /** What the reference calls the type. */
  readonly title: string;
  readonly description: string;
  readonly examples: [string, ...string[]];
}

/** Text that `parse` understands. A bare number gets the parser's advice, not "is a number". */
export const text = <T>(parse: (text: string) => Parsed<T>, about: About) =>
  z
    .string({
      error: ({ input }) => {
        const parsed = typeof input === 'number' ? parse(String(input)) : undefined;
        return parsed && !parsed.ok ? parsed.problem : undefined;
      },
    })
    .meta({ ...about })
    .transform((value, context) => {
      const parsed = parse(value);
      if (parsed.ok) return parsed.value;
      context.addIssue({ code: 'custom', message: parsed.problem });
      return z.NEVER;
    });

export const timeout = (description: string, example: string) =>
  text(parseTimeout, { title: 'length of time', description, examples: [example] }).prefault(example);

export const schedule = (description: string, example: string) =>
  text(parseSchedule, { title: 'cron pattern', description, examples: [example] }).optional();

export const cronZone = (fallback: string) =>
  text(parseTimeZone, {
    title: 'time zone',
    description: `The time zone in which \`schedule\` is read. Default: ${fallback}.`,
    examples: ['Europe/Berlin'],
  }).optional();

/** A set of keys, or `off`. */
export const orOff = <T extends z.ZodType>(keys: T, example: string) =>
  z.union([z.literal(OFF), keys], { error: () => `is neither off nor a set of keys: write off, or ${example}` });

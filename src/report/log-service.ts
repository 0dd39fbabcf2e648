/** What the log says of configurations, and of those who ask for runs over HTTP. */
import { expectedKeys } from './expected-series.ts';
import { explainError } from './explain.ts';
import { plural, printable } from './figures.ts';
import type { FindingTracker } from './finding-tracker.ts';
import type { Listeners } from './listeners.ts';
import { errorFields } from './log-fields.ts';
import type { Logger } from './logger.ts';

export const logConfigurations = (
  logger: Logger,
  tracker: FindingTracker,
): Pick<Listeners, 'config-loaded' | 'reload-failed'> => ({
  'config-loaded'({ how, origin, hash, tables, views, ledgerTables, changes }) {
    const kept = expectedKeys({ tables: [...tables, ...ledgerTables], views });
    // Nobody looks there any more: that is neither good news nor bad.
    tracker.keep(slot => kept.has(slot));
    const fields = { origin, hash, tables: tables.length, views: views.length };
    const text = `${origin}: ${plural(tables.length, 'table')}, ${plural(views.length, 'view')}`;
    if (how === 'start') logger.info({ ...fields, text }, 'configuration loaded');
    else logger.info({ ...fields, changes, text: `${text}; ${changed(changes)}` }, 'configuration reloaded');
  },
  'reload-failed'({ error }) {
    const [what = '', ...problems] = error.message.split('\n');
    const why = problems.length === 0 ? explainError(error) : `${what}: ${problems.join('; ')}`;
    logger.error(
      { ...errorFields(error), text: `Not reloaded; what was in force stays in force. ${why}` },
      'reload failed',
    );
  },
});

export const logTriggers = (
  logger: Logger,
): Pick<Listeners, 'trigger-asked' | 'trigger-failed' | 'trigger-refused'> => ({
  'trigger-asked': ({ via, runs }) =>
    logger.info(
      {
        via,
        runs,
        text: `${via} asked for ${runs.map(({ job, target, status }) => `${job} ${printable(target)} (${status})`).join(', ')}`,
      },
      'trigger asked',
    ),
  'trigger-failed': ({ via, error }) =>
    logger.warn({ via, ...errorFields(error), text: `${via} asked in vain: ${explainError(error)}` }, 'trigger failed'),
  'trigger-refused': ({ code, address, because, untold }) => {
    const more = untold > 0 ? `; ${plural(untold, 'refusal')} before it went untold` : '';
    logger.warn(
      {
        status: code,
        address,
        reason: because,
        untold,
        text: `A request from ${address} was refused: ${because}${more}`,
      },
      'trigger refused',
    );
  },
});

const MANY_CHANGES = 10;

const changed = (keys: readonly string[]): string => {
  const more = keys.length - MANY_CHANGES;
  if (keys.length === 0) return 'nothing has changed';
  return `changed: ${keys.slice(0, MANY_CHANGES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

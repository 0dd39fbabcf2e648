/** `partkeeper check`: what is wrong, without changing anything. */
import type { Command } from 'commander';
import { type App, createApp } from '../app.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import type { ServerFacts } from '../domain/facts.ts';
import { type Finding, finding, hasErrors } from '../domain/findings.ts';
import { formatRelationName } from '../domain/relation.ts';
import { superuserNotice } from '../domain/superuser.ts';
import type { Emit } from '../report/events.ts';
import { BUNDLED_TABLE, readChecklist } from '../schema/checklist.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, configOf, type SelectionOptions, type SharedOptions, tasksOf, withSelection } from './options.ts';
import { planNow } from './plan.ts';
import { findingDocument, findingLines } from './plan-output.ts';

export const checkCommand = (): Command =>
  withSelection(commandWith('check', 'report what is wrong with the configured tables and views; change nothing'));

export async function runCheck(options: SharedOptions & SelectionOptions, io: Io): Promise<number> {
  let server: ServerFacts | undefined;
  const remember: Emit = event => {
    if (event.kind === 'observed') server = event.facts.server;
  };
  const app = createApp(configOf(options, io), [remember, ...io.subscribers]);
  try {
    const plan = await planNow(app, options, io.stopping);
    const findings = [
      ...plan.findings,
      ...tooManyRights(app, options, server),
      ...(await incompleteSchema(app, options)),
    ];
    if (options.json) io.out(json({ now: plan.now, findings: findings.map(findingDocument) }));
    else io.out(line(findings.length === 0 ? 'Nothing is wrong.' : findingLines(findings).join('\n')));
    return hasErrors(plan) ? EXIT_CODES.findings : EXIT_CODES.done;
  } finally {
    await app.close();
  }
}

/** Said of the first target, because it is of all of them. */
function tooManyRights({ policies }: App, options: SelectionOptions, server: ServerFacts | undefined) {
  const notice = server && superuserNotice(server);
  const [target] = tasksOf(options, policies).flatMap(({ targets }) => targets);
  return notice && target ? [finding('SUPERUSER', target, notice.message, notice.hint)] : [];
}

/** What the bundled schema lacks, where it is maintained. */
async function incompleteSchema({ database, policies }: App, options: SelectionOptions): Promise<readonly Finding[]> {
  const table = tasksOf(options, policies)
    .flatMap(({ targets }) => targets)
    .find(target => formatRelationName(target) === BUNDLED_TABLE);
  if (!table) return [];
  const checklist = await database.use(session =>
    readChecklist((sql, parameters) => session.query(sql, parameters, 'look for the objects of the bundled schema')),
  );
  // A missing table is told by the plan already.
  return checklist
    .filter(({ kind, present }) => !present && kind !== 'table')
    .map(({ kind, object }) =>
      finding(
        'SCHEMA_INCOMPLETE',
        table,
        `${kind} ${object} is missing, or does not work`,
        'Run `partkeeper migrate up`.',
      ),
    );
}

/** `partkeeper restore` and `release`: a partition that was retired comes back, and stays until it is let go again. */
import type { Command } from 'commander';
import { type App, createApp } from '../app.ts';
import { EXIT_CODES, MaintenanceError } from '../domain/errors.ts';
import { formatForShell, formatRelationName, parseRelationName, type RelationName } from '../domain/relation.ts';
import { statements } from '../ledger/statements.ts';
import { nameOf } from '../report/explain.ts';
import { runJob } from '../run-job.ts';
import { exitCodeOfRuns } from './exit-code.ts';
import { whereInstalled } from './installed.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, configOf, type SharedOptions, tasksOf } from './options.ts';
import { showProgress } from './progress.ts';
import { requesterOf } from './trigger.ts';

interface RestoreOptions extends SharedOptions {
  readonly reason?: string;
}

export const restoreCommand = (): Command =>
  commandWith('restore', 'attach a retired partition again; retention leaves it alone until it is released')
    .argument('<table>', 'the table, as the configuration spells it')
    .argument('<partition>', 'the partition: its name, with the schema where that is another one')
    .option('--reason <text>', 'goes on record with the run');

export const releaseCommand = (): Command =>
  commandWith('release', 'let retention apply again to what was restored')
    .argument('<table>', 'the table, as the configuration spells it')
    .argument('[partition]', 'only this partition; default: everything that was restored');

export async function runRestore(options: RestoreOptions, io: Io, table: string, partition: string): Promise<number> {
  const progress = options.json ? [] : showProgress(text => io.out(line(text)));
  const app = createApp(configOf(options, io), [...progress, ...io.subscribers]);
  try {
    const target = tableOf(app, table);
    const relation = partitionOf(target, partition);
    await ask(app, target, relation, requesterOf(io.env));
    const reports = await runJob(app.runner, {
      job: 'retire',
      targets: [target],
      only: 'restore-partition',
      origin: {
        trigger: 'manual',
        requestedBy: requesterOf(io.env),
        reason: options.reason ?? `restore ${nameOf(relation)}`,
      },
      isAskedFor: true,
      signal: io.stopping,
      stopping: io.stopping,
    });
    const isDone = reports.every(({ outcome, done, deferred }) => outcome === 'success' && done > 0 && deferred === 0);
    const text = isDone
      ? `${nameOf(relation)} is attached again, and left alone until: partkeeper release ${formatForShell(target)} ${formatForShell(relation)}`
      : `${nameOf(relation)} was asked for and is not attached yet; the next run of retire tries again.`;
    io.out(options.json ? json({ restored: isDone, partition: formatRelationName(relation) }) : line(text));
    return isDone ? EXIT_CODES.done : exitCodeOfRuns(reports, io.stopping) || EXIT_CODES.unexpected;
  } finally {
    await app.close();
  }
}

export async function runRelease(options: SharedOptions, io: Io, table: string, partition?: string): Promise<number> {
  const app = createApp(configOf(options, io), io.subscribers);
  try {
    const target = tableOf(app, table);
    const relation = partition === undefined ? undefined : partitionOf(target, partition);
    const released = await whereInstalled(
      app.database.use(session =>
        session.query<RelationName>(
          statements.release,
          [formatRelationName(target), relation?.schema ?? null, relation?.name ?? null],
          'release what was restored',
        ),
      ),
    );
    if (relation && released.length === 0)
      throw new MaintenanceError('USAGE', `${nameOf(relation)} is no restored partition of ${nameOf(target)}`, {
        hint: `What is open: partkeeper plan --job retire --target ${formatForShell(target)}`,
      });
    const names = released.map(nameOf);
    if (options.json) io.out(json({ released: names }));
    else io.out(line(names.length === 0 ? 'Nothing was restored.' : names.map(name => `released: ${name}`).join('\n')));
    return EXIT_CODES.done;
  } finally {
    await app.close();
  }
}

function tableOf(app: App, table: string): RelationName {
  const [target] = tasksOf({ job: 'retire', target: table }, app.policies)[0]?.targets ?? [];
  if (!target) throw new MaintenanceError('USAGE', `${table} is not configured as a table`);
  return target;
}

/** A bare name is one in the schema of its table, where partitions are made. */
function partitionOf(target: RelationName, text: string): RelationName {
  const full = parseRelationName(text);
  if (!('problem' in full)) return full;
  const bare = parseRelationName(`${formatRelationName({ schema: target.schema, name: 'x' }).slice(0, -2)}.${text}`);
  if ('problem' in bare) throw new MaintenanceError('USAGE', full.problem);
  return bare;
}

interface OpenRow extends RelationName {
  readonly state: string;
  readonly drop_after: string | null;
}

async function ask(app: App, target: RelationName, relation: RelationName, by: string): Promise<void> {
  const name = formatRelationName(target);
  const { asked, open } = await whereInstalled(
    app.database.use(async session => ({
      asked: await session.query(
        statements.askRestore,
        [name, relation.schema, relation.name, by],
        `ask for ${nameOf(relation)}`,
      ),
      open: await session.query<OpenRow>(statements.openRetirements, [name], 'see what could be restored'),
    })),
  );
  if (asked.length > 0) return;
  const others = open.filter(({ state }) => state === 'detached' || state === 'kept').map(nameOf);
  throw new MaintenanceError(
    'USAGE',
    `${nameOf(relation)} cannot be restored: no retired partition of ${nameOf(target)} that is still there has that name`,
    { hint: others.length > 0 ? `There are: ${others.join(', ')}.` : 'There is none; what was dropped is gone.' },
  );
}

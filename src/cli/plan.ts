/** `partkeeper plan`: what would be done, with its SQL, and why; what is left alone, and why. Changes nothing. */
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { createApp } from '../app.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { hasErrors } from '../domain/findings.ts';
import { momentsOf } from '../domain/moments.ts';
import type { Plan } from '../domain/plan.ts';
import type { Instant } from '../domain/time.ts';
import { planRound } from '../jobs/plan-round.ts';
import { observe } from '../observe.ts';
import { refuseUnknownAcknowledgements } from './acknowledge.ts';
import { type Io, json, line } from './io.ts';
import {
  commandWith,
  configOf,
  type SelectionOptions,
  type SharedOptions,
  tasksOf,
  withInstant,
  withSelection,
} from './options.ts';
import { planDocument, planText } from './plan-output.ts';

export interface PlanOptions extends SharedOptions, SelectionOptions {
  readonly at?: Instant;
  readonly check?: boolean;
  readonly force?: boolean;
  readonly acknowledge?: readonly string[];
}

export const planCommand = (): Command =>
  withInstant(
    withSelection(commandWith('plan', 'show what would be done, with its SQL and why; change nothing'))
      .option('--check', `exit with ${EXIT_CODES.changesPending} when there is something to do`)
      .option('--force', 'also what is not due yet'),
    'plan as if this were now, instead of the clocks',
  );

export async function runPlan(options: PlanOptions, io: Io): Promise<number> {
  const app = createApp(configOf(options, io), io.subscribers);
  try {
    if (options.acknowledge !== undefined)
      refuseUnknownAcknowledgements(
        options.acknowledge,
        await planNow(app, { ...options, acknowledge: [] }, io.stopping),
      );
    const plan = await planNow(app, options, io.stopping);
    io.out(options.json ? json(planDocument(plan)) : line(planText(plan, options.at !== undefined)));
    if (hasErrors(plan)) return EXIT_CODES.findings;
    return options.check && plan.actions.length > 0 ? EXIT_CODES.changesPending : EXIT_CODES.done;
  } finally {
    await app.close();
  }
}

export async function planNow({ runner, policies }: App, options: PlanOptions, signal: AbortSignal): Promise<Plan> {
  const tasks = tasksOf(options, policies);
  const facts = await observe(
    runner,
    tasks.flatMap(({ targets }) => targets),
    signal,
  );
  return planRound(tasks, {
    facts,
    policies,
    moments: momentsOf(facts.server, options.at),
    dueSince: runner.dueSince,
    isAskedFor: options.force ?? false,
    acknowledged: new Set(options.acknowledge),
  });
}

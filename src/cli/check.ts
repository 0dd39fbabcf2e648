/** `partkeeper check`: what is wrong, without changing anything. */
import type { Command } from 'commander';
import { createApp } from '../app.ts';
import { EXIT_CODES } from '../domain/errors.ts';
import { hasErrors } from '../domain/plan.ts';
import { type Io, json, line } from './io.ts';
import { commandWith, configOf, type SelectionOptions, type SharedOptions, withSelection } from './options.ts';
import { planNow } from './plan.ts';
import { findingDocument, findingLines } from './plan-output.ts';

export const checkCommand = (): Command =>
  withSelection(commandWith('check', 'report what is wrong with the configured tables and views; change nothing'));

export async function runCheck(options: SharedOptions & SelectionOptions, io: Io): Promise<number> {
  const app = createApp(configOf(options, io), io.subscribers);
  try {
    const plan = await planNow(app, options, io.stopping);
    const { findings } = plan;
    if (options.json) io.out(json({ now: plan.now, findings: findings.map(findingDocument) }));
    else io.out(line(findings.length === 0 ? 'Nothing is wrong.' : findingLines(findings).join('\n')));
    return hasErrors(plan) ? EXIT_CODES.findings : EXIT_CODES.done;
  } finally {
    await app.close();
  }
}

/** What a command's end is worth to the script that called it. */
import { EXIT_CODES, exitCodeOf } from '../domain/errors.ts';
import { hasErrors } from '../domain/findings.ts';
import type { RunReport } from '../run-job.ts';

/** Of several runs: the first failure that says which kind it is, then findings, then failures at large. */
export function exitCodeOfRuns(reports: readonly RunReport[], stopping: AbortSignal): number {
  const codes = reports.flatMap(({ error }) => (error ? [exitCodeOf(error)] : []));
  const specific = codes.find(code => code !== EXIT_CODES.unexpected);
  if (specific !== undefined) return specific;
  if (reports.some(hasErrors)) return EXIT_CODES.findings;
  // Stopped between two runs, none has failed; but not everything was done either.
  return codes.length > 0 || stopping.aborted ? EXIT_CODES.unexpected : EXIT_CODES.done;
}

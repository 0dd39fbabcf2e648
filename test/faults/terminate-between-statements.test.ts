/**
 * A backend that an administrator, a failover or the out-of-memory killer ends: partkeeper says so and goes, or carries on over
 * another connection; either way the next run finds nothing torn. PK_FAULTS as in kill-between-statements.test.ts.
 */
import { describe, expect } from 'vitest';
import { withinOneMonth } from '../support/fault-scene.ts';
import { faultTest as test } from '../support/faults.ts';
import { TERMINATIONS } from '../support/kill-at-statement.ts';
import { shortOrLong } from '../support/stress.ts';

const TIMEOUT_MS = process.env.PK_FAULTS === 'all' ? 900_000 : 300_000;

interface Problem {
  readonly code: string;
  readonly message: string;
}

/** Of `apply --json`: one document about all runs, or about the error that kept them from being started. */
interface ApplyDocument {
  readonly error?: Problem;
  readonly runs?: readonly { readonly error?: Problem }[];
}

const problemsOf = ({ error, runs = [] }: ApplyDocument): readonly Problem[] =>
  [error, ...runs.map(run => run.error)].filter(problem => problem !== undefined);

describe('an apply whose backend is terminated', () => {
  test.for(shortOrLong([TERMINATIONS[1]], [...TERMINATIONS]))(
    'F27: before a statement (%s) says that the connection is lost or finishes by itself, and the next one does the rest',
    { timeout: TIMEOUT_MS },
    async (fault, { stage }) => {
      const perform = async () => {
        const rehearsal = await stage.rehearse();
        return stage.perform(rehearsal, fault, shortOrLong(1, 8), async ({ clone, exit }) => {
          const { code, signal, stdout, stderr } = exit;
          expect({ signal, stderr }, `a crash: ${stderr}`).toEqual({ signal: null, stderr: '' });
          const found = problemsOf(JSON.parse(stdout) as ApplyDocument);
          for (const { message } of found) expect(message, 'a stack trace').not.toMatch(/\n\s*at |node:internal/);
          if (code === 0) {
            expect(found).toEqual([]);
            expect((await stage.plan(clone)).actions, 'what an apply that reports success has left undone').toEqual([]);
          } else {
            expect({ code, codes: [...new Set(found.map(problem => problem.code))] }).toEqual({
              code: 5,
              codes: ['CONNECTION_LOST'],
            });
          }
        });
      };
      expect(await withinOneMonth(perform)).toEqual([]);
    },
  );
});

/**
 * Promise 4: whoever kills partkeeper, at whatever statement, leaves a database that the next run puts in order, and that is
 * sound until then. Some statements are chosen by chance: PK_FAULTS=all tries every one, PK_FAULTS=17:sent that one alone.
 */
import { describe, expect } from 'vitest';
import { attachedBy, tablesOf, withinOneMonth, work } from '../support/fault-scene.ts';
import { faultTest as test } from '../support/faults.ts';
import { KILLS } from '../support/kill-at-statement.ts';
import { shortOrLong } from '../support/stress.ts';

const TIMEOUT_MS = process.env.PK_FAULTS === 'all' ? 900_000 : 300_000;

/** Of the partitions that are attached, those whose transaction was over after so many statements. */
function committed(statements: readonly string[]): readonly string[] {
  const done = statements.slice(0, statements.lastIndexOf('commit') + 1);
  return done.map(attachedBy).filter(name => name !== undefined);
}

test('an apply that nothing happens to does every kind of work there is', async ({ stage }) => {
  const [{ plan, exit, statements }, expected] = await withinOneMonth(async () => [await stage.rehearse(), work()]);
  expect(plan.actions.map(({ kind, relation, because }) => `${kind} ${relation}: ${because.rule}`).toSorted()).toEqual(
    expected.map(line => line.replace(' ', ' public.')).toSorted(),
  );
  expect(exit).toMatchObject({ code: 0, signal: null, stderr: '' });
  // Three that are made, and one that comes back.
  expect(committed(statements)).toHaveLength(4);
});

describe('an apply that is killed', () => {
  test.for(shortOrLong([KILLS[1]], [...KILLS]))(
    'F27: at a statement (%s) leaves nothing torn, and the next one does the rest',
    { timeout: TIMEOUT_MS },
    async (fault, { stage }) => {
      const perform = async () => {
        const rehearsal = await stage.rehearse();
        return stage.perform(rehearsal, fault, shortOrLong(1, 8), async ({ clone, exit, came, number }) => {
          expect(exit).toMatchObject({ code: null, signal: 'SIGKILL', stdout: '', stderr: '' });
          expect(came).toHaveLength(number);
          const certain = committed(came.slice(0, fault === 'done' ? number : number - 1));
          const possible = fault === 'sent' ? committed(came) : certain;
          const isNew = new Set(committed(rehearsal.statements));
          const { attached } = await tablesOf(clone);
          const found = attached.filter(name => isNew.has(name));
          expect([certain.toSorted(), possible.toSorted()], 'the new partitions').toContainEqual(found);
        });
      };
      expect(await withinOneMonth(perform)).toEqual([]);
    },
  );
});

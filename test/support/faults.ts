/** `faultTest`: `partkeeper apply` as a process that meets with an accident, and then one that is left alone. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { PlanDocument } from '../../src/cli/plan-output.ts';
import { type CliExit, cliTest } from './cli.ts';
import { waitUntil } from './client.ts';
import type { Clone } from './clones.ts';
import {
  checksum,
  describeState,
  expectNothingTornNorLost,
  POLICY,
  scenes,
  whatIsLeftOnServer,
} from './fault-scene.ts';
import {
  type Case,
  chooseCases,
  describeCase,
  type Fault,
  inLanes,
  PRELOAD,
  readRecord,
  VARIABLES,
} from './kill-at-statement.ts';
import { chance } from './random.ts';

export interface Rehearsal {
  readonly plan: PlanDocument;
  readonly exit: CliExit;
  /** What a run that nothing happens to sends, in order. */
  readonly statements: readonly string[];
  readonly checksum: string;
  /** The database afterwards. */
  readonly state: readonly string[];
}

export interface Accident<F extends Fault> extends Case<F> {
  readonly clone: Clone;
  readonly exit: CliExit;
  /** The statements that it came to: those up to the accident, and others should it have gone on. */
  readonly came: readonly string[];
}

export interface Stage {
  readonly rehearse: () => Promise<Rehearsal>;
  /**
   * Tries at least so many statements with the fault, `check`s how the process ended, and that whatever it left behind is put
   * in order by the next one. @returns what went wrong, case by case
   */
  readonly perform: <F extends Fault>(
    rehearsal: Rehearsal,
    fault: F,
    atLeast: number,
    check: (accident: Accident<F>) => Promise<void>,
  ) => Promise<readonly string[]>;
  /** Plans without changing anything. */
  readonly plan: (clone: Clone) => Promise<PlanDocument>;
}

/** More than there are processors: a process waits for the server half of its time. */
const LANES = 3;

export const faultTest = cliTest
  .extend('scene', { scope: 'file' }, ({ admin }, { onCleanup }) => {
    const prepared = scenes(admin);
    onCleanup(prepared.drop);
    return prepared;
  })
  .extend('stage', async ({ cli, folder, configure, scene }): Promise<Stage> => {
    await configure(POLICY);

    const apply = async (clone: Clone, fault?: string) => {
      const record = join(folder, `${clone.name}.statements`);
      const env = {
        DATABASE_URL: clone.url,
        [VARIABLES.record]: record,
        [VARIABLES.fault]: fault,
      };
      const exit = await cli.run(['apply', '--json'], { preload: PRELOAD, env });
      return { exit, came: await readRecord(record) };
    };

    const run = (args: readonly string[], { url }: Clone) => cli.run(args, { env: { DATABASE_URL: url } });

    const plan: Stage['plan'] = async clone => {
      const { code, stdout, stderr } = await run(['plan', '--json'], clone);
      expect(code, stdout + stderr).toBe(0);
      return JSON.parse(stdout) as PlanDocument;
    };

    const expectInOrder = async (clone: Clone, { state }: Rehearsal): Promise<void> => {
      const { actions, findings } = await plan(clone);
      expect({ actions, findings }).toEqual({ actions: [], findings: [] });
      expect(await describeState(clone)).toEqual(state);
    };

    const onClone = async <T>(work: (clone: Clone) => Promise<T>): Promise<T> => {
      const clone = await scene.clone();
      try {
        return await work(clone);
      } finally {
        await clone.drop();
      }
    };

    return {
      plan,
      rehearse: () =>
        onClone(async clone => {
          const before = { plan: await plan(clone), checksum: await checksum(clone) };
          const { exit, came: statements } = await apply(clone);
          const rehearsal = { ...before, exit, statements, state: await describeState(clone) };
          await expectInOrder(clone, rehearsal);
          await expectNothingTornNorLost(clone, before.checksum);
          return rehearsal;
        }),
      async perform(rehearsal, fault, atLeast, check) {
        const seed = Number(process.env.PK_FAULTS_SEED || randomInt(2 ** 31));
        const cases = chooseCases(rehearsal.statements, fault, atLeast, chance(seed));
        process.stdout.write(
          `${fault}: ${cases.length} of ${rehearsal.statements.length} statements, PK_FAULTS_SEED=${seed}\n`,
        );
        const problems = await inLanes(LANES, cases, chosen =>
          onClone(async clone => {
            try {
              const { exit, came } = await apply(clone, `${chosen.number}:${fault}`);
              expect(came.slice(0, chosen.number), 'the statements up to the accident').toEqual(
                rehearsal.statements.slice(0, chosen.number),
              );
              await check({ ...chosen, clone, exit, came });
              // At once, while the server may still be busy with the dead: that is how a supervisor restarts.
              await expectNothingTornNorLost(clone, rehearsal.checksum);
              const second = await run(['apply'], clone);
              expect(second.code, second.stdout + second.stderr).toBe(0);
              await expectInOrder(clone, rehearsal);
              await expectNothingTornNorLost(clone, rehearsal.checksum);
              await waitUntil(async () => (await whatIsLeftOnServer(clone)).length === 0, {
                what: 'every session and lock to be gone',
              });
              return [];
            } catch (error) {
              return [`${describeCase(chosen)}: ${explain(error)}`];
            }
          }),
        );
        return problems.flat();
      },
    };
  });

/** Of two long lists only what one has and the other has not. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lists = [Reflect.get(error, 'actual'), Reflect.get(error, 'expected')];
  if (!lists.every(Array.isArray)) return error.message;
  const [actual = [], expected = []] = lists.map(list => list.map(entry => JSON.stringify(entry)));
  return [
    error.message,
    ...expected.filter(entry => !actual.includes(entry)).map(entry => `- ${entry}`),
    ...actual.filter(entry => !expected.includes(entry)).map(entry => `+ ${entry}`),
  ].join('\n');
}

/** Who judges the judge: each thing that an accident must not do is done on purpose, and the oracle has to see it. */
import { describe, expect } from 'vitest';
import { sceneTest } from '../support/scene.ts';

describe('the oracle', () => {
  sceneTest('finds nothing wrong with a run that nothing happens to', async ({ scene }) => {
    await scene.settle();
    await scene.settle();
  });

  sceneTest.for([
    [
      'a row inside its retention that is lost',
      "delete from events where at > '2026-04-01' and id % 40 = 0",
      /inside the policy/,
    ],
    [
      'a row that is doubled',
      "insert into events select * from events where at > '2026-04-01' limit 1",
      /inside the policy/,
    ],
    ['a kept row that is lost', "delete from audit where at < '2026-02-01'", /inside the policy/],
    ['a partition that is taken away', 'alter table events detach partition events_2026_05', /has lost its partitions/],
  ] as const)('sees at once %s', async ([, deed, told], { scene }) => {
    await scene.database.query(deed);
    expect(await scene.oracle().meanwhile()).toContainEqual(expect.stringMatching(told));
  });

  sceneTest.for([
    ['a table that was made and not attached', 'create table events_2026_07 (like events)', /is nobody's partition/],
    [
      'an intent without an end',
      "insert into partkeeper.actions (action_id, run_id, kind, target, relation, because, why, statements) values (gen_random_uuid(), gen_random_uuid(), 'x', 'x', 'x', '{}', '', '{}')",
      /still intended/,
    ],
    [
      'a run without an end',
      "insert into partkeeper.runs (run_id, job, target, trigger, replica, version, config_hash) values (gen_random_uuid(), 'other', 'other', 'manual', '', '', '')",
      /has no end/,
    ],
    ['a deed that is not on record', 'alter table audit detach partition audit_2026_01', /nobody has it on record/],
    [
      'a trigger of ours',
      "create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger partkeeper_capture before insert on events for each row execute function f()",
      /trigger partkeeper_capture/,
    ],
    [
      'a constraint of ours',
      'alter table events add constraint partkeeper_range check (id >= 0)',
      /constraint partkeeper_range/,
    ],
  ] as const)('sees after the next run %s', async ([, deed, told], { scene }) => {
    await scene.database.query(deed);
    expect(await scene.oracle().afterNextRun(scene.open())).toContainEqual(expect.stringMatching(told));
  });

  sceneTest('sees a record of what was never done', async ({ scene }) => {
    const partkeeper = scene.open();
    await partkeeper.apply();
    await partkeeper.close();
    await scene.database.query(
      "update partkeeper.actions set relation = relation || '_2' where kind = 'create-partition'",
    );
    const found = await scene.oracle().afterNextRun(scene.open());
    expect(found).toContainEqual(expect.stringMatching(/on record as done, and the catalog shows nothing/));
    expect(found).toContainEqual(expect.stringMatching(/events_2026_07 was attached, and nobody has it on record/));
  });

  sceneTest('sees a session and its locks', async ({ scene }) => {
    const client = await scene.database.connect({ application_name: 'partkeeper run' });
    await client.query('select pg_advisory_lock(1)');
    const found = await scene.oracle().afterNextRun(scene.open());
    expect(found).toContainEqual(expect.stringMatching(/a session of partkeeper run is there/));
    expect(found).toContainEqual(expect.stringMatching(/an advisory lock is held/));
  });

  sceneTest('sees what cannot be covered', async ({ scene }) => {
    const partkeeper = scene.open({ tables: [] });
    const found = await scene.oracle().afterNextRun(partkeeper);
    for (const table of ['events', 'audit'])
      expect(found).toContainEqual(expect.stringMatching(`^public.${table} has no partitions`));
  });
});

/** Who judges the judge: each thing that an accident must not do is done on purpose, and the oracle has to see it. */
import { describe, expect } from 'vitest';
import { sceneTest } from '../support/scene.ts';

describe('the oracle', () => {
  sceneTest('finds nothing wrong with a run that nothing happens to', async ({ scene }) => {
    await scene.settle();
    await scene.settle();
  });

  sceneTest('sees at once what is lost, doubled or no longer covered', async ({ scene }) => {
    const { database, oracle } = scene;
    const deeds = [
      ["delete from events where at > '2026-04-01' and id % 40 = 0", /public\.events had .* inside the policy/],
      [
        "insert into events select * from events where at > '2026-04-01' limit 1",
        /public\.events had .* inside the policy/,
      ],
      ["delete from audit where at < '2026-02-01'", /public\.audit had .* inside the policy/],
      ['delete from graced_2026_01', /public\.graced had .* inside the policy/],
      ['alter table events detach partition events_2026_05', /public\.events has lost its partitions/],
    ] as const;
    for (const [deed, told] of deeds) {
      await scene.look();
      expect(await oracle().meanwhile()).toEqual([]);
      await database.query(deed);
      expect(await oracle().meanwhile(), deed).toContainEqual(expect.stringMatching(told));
    }
  });

  sceneTest('sees after the next run what was left lying about, and what is not on record', async ({ scene }) => {
    const deeds = [
      ['create table events_2026_07 (like events)', /events_2026_07 is nobody's partition/],
      [
        `insert into partkeeper.actions (action_id, run_id, kind, target, relation, because, why, statements)
         values (gen_random_uuid(), gen_random_uuid(), 'x', 'x', 'x', '{}', '', '{}')`,
        /still intended/,
      ],
      [
        `insert into partkeeper.runs (run_id, job, target, trigger, replica, version, config_hash)
         values (gen_random_uuid(), 'other', 'other', 'manual', '', '', '')`,
        /has no end/,
      ],
      ['alter table audit detach partition audit_2026_01', /audit_2026_01 is no partition any more, and nobody/],
      [
        `create function f() returns trigger language plpgsql as 'begin return new; end';
         create trigger partkeeper_capture before insert on events for each row execute function f()`,
        /trigger partkeeper_capture/,
      ],
      ['alter table events add constraint partkeeper_range check (id >= 0)', /constraint partkeeper_range/],
    ] as const;
    for (const [deed] of deeds) await scene.database.query(deed);
    const told = await scene.oracle().afterNextRun(scene.open());
    for (const [deed, problem] of deeds) expect(told, deed).toContainEqual(expect.stringMatching(problem));
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
    await scene.look({ patienceMs: 0 });
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

/** A service that starts asks for what an interrupted run has left to be cleared, without waiting for a tick. */
import { expect } from 'vitest';
import { prepareQueue } from '../../src/queue/boss.ts';
import { askForClearing } from '../../src/queue/leftovers.ts';
import { aTablePolicy, relation } from '../support/facts.ts';
import { jobsInQueue, queueTest } from '../support/queue.ts';
import { createTable } from '../support/tables.ts';

queueTest(
  'a CHECK and a trigger of ours on a default partition ask for provision, once',
  async ({ database, open, boss }) => {
    const names = ['checked', 'captured', 'clean', 'whole'];
    for (const name of names) await createTable(database, `public.${name}`);
    await database.query(`
    create table checked_rest partition of checked default;
    alter table checked_rest add constraint partkeeper_no_rows check (true);
    create table captured_rest partition of captured default;
    create trigger partkeeper_capture_7 before update on captured_rest
      for each row execute function suppress_redundant_updates_trigger();
    create table clean_rest partition of clean default`);
    const tables = [...names, 'absent'].map(name => aTablePolicy({ relation: relation(`public.${name}`) }));
    const partkeeper = open({ tables });
    const queue = await boss();
    await prepareQueue(queue, 60_000);
    await askForClearing(partkeeper.runner, queue);
    await askForClearing(partkeeper.runner, queue);
    expect((await jobsInQueue(database)).map(({ singleton_key }) => singleton_key)).toEqual([
      'provision/public.captured',
      'provision/public.checked',
    ]);
  },
);

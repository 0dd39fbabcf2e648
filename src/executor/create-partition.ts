/** Creates a partition without stopping writers; what a default partition beside it asks for is in `default/`. */
import type { CreatePartition } from '../domain/plan.ts';
import { attachStatements, makeAndAttach } from './attach-partition.ts';
import { createBesideDefault } from './default/create-beside-default.ts';
import { probeInsert } from './probe-insert.ts';
import type { ActionKindDefinition } from './runner.ts';

export const createPartition: ActionKindDefinition<CreatePartition> = {
  statements: attachStatements,
  run: (action, attempt) =>
    action.beside ? createBesideDefault(action, action.beside, attempt) : makeAndAttach(action, attempt),
  confirm: probeInsert,
};

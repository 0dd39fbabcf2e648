/** Runs ANALYZE, outside a transaction: it would hold SHARE UPDATE EXCLUSIVE on every partition until the end otherwise. */
import type { AnalyzeTable } from '../domain/plan.ts';
import { formatRelationName } from '../domain/relation.ts';
import { ddl, identifier, type Statement } from '../postgres/ddl.ts';
import type { ActionKindDefinition } from './runner.ts';

export const analyzeTable: ActionKindDefinition<AnalyzeTable> = {
  statements: action => [...becomeOwnerForSession(action), analyze(action)],
  async run(action, { execute, conclude }) {
    const what = `analyze ${formatRelationName(action.relation)}`;
    const roles = becomeOwnerForSession(action);
    try {
      for (const statement of roles) await execute(statement, what);
      await execute(analyze(action), what);
    } finally {
      if (roles.length > 0) await execute(ddl`reset role`, 'become ourselves again');
    }
    return conclude({ outcome: 'done' });
  },
};

// Without the right, ANALYZE only warns and does nothing: hence as the owner.
const becomeOwnerForSession = ({ actAs }: AnalyzeTable): readonly Statement[] =>
  actAs.how === 'set-role' ? [ddl`set role ${identifier(actAs.owner)}`] : [];

const analyze = ({ relation, only }: AnalyzeTable): Statement =>
  only ? ddl`analyze only ${relation}` : ddl`analyze ${relation}`;

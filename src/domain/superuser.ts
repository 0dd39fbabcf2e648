/** Being connected as a superuser: everything works, and nothing is left that would stop a mistake. */
import type { ServerFacts } from './facts.ts';

export interface Notice {
  readonly message: string;
  readonly hint: string;
}

/** What a person should know, if it is so. */
export const superuserNotice = ({
  isSuperuser,
  user,
}: Pick<ServerFacts, 'isSuperuser' | 'user'>): Notice | undefined =>
  isSuperuser
    ? {
        message: `partkeeper is connected as ${user}, a superuser, whom no missing right would stop`,
        hint: 'ops/roles.sql makes a role with the least rights that it needs.',
      }
    : undefined;

/** Whether a request carries one of the tokens that are accepted, found out in a time that says nothing about them. */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface AcceptedToken {
  /** For the record. */
  readonly name: string | undefined;
  readonly secret: string;
}

const BEARER = /^Bearer +(?<token>[A-Za-z0-9._~+/-]{1,1024}=*) *$/i;

/** The accepted token that `authorization` holds, or undefined. Every accepted token is compared, whichever fits. */
export function tokenIn<T extends AcceptedToken>(
  authorization: string | undefined,
  accepted: readonly T[],
): T | undefined {
  const presented = digestOf(BEARER.exec(authorization ?? '')?.groups?.token ?? '');
  let found: T | undefined;
  for (const token of accepted) if (timingSafeEqual(presented, digestOf(token.secret))) found = token;
  return found;
}

// Of equal length whatever was presented, and what differs in them says nothing about what was digested.
const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

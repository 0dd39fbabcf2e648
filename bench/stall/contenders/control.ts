/** The no-op control: what the same load sees when nobody maintains anything. */
import type { Contender } from './contender.ts';

export const CONTROL = 'none';

export const control: Contender = {
  name: CONTROL,
  title: 'no-op',
  absence: async () => undefined,
  prepare: async () => ({ pass: async () => undefined, close: async () => undefined }),
};

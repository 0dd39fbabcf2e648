/** Values of unknown make, as they come out of a file. */

export type Keys = Readonly<Record<string, unknown>>;

export const isKeys = (value: unknown): value is Keys =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** No keys, where the value has none: somebody else says what is wrong with it. */
export const keysOf = (value: unknown): Keys => (isKeys(value) ? value : {});

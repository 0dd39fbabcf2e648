const refuse = (): never => {
  throw new TypeError('a frozen collection was about to be changed');
};

/** Makes a value unchangeable all the way down: whoever is pure does not notice, whoever is not throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  // Freezing an object does not reach what a Set or a Map holds.
  if (value instanceof Set || value instanceof Map)
    Object.assign(value, { add: refuse, set: refuse, delete: refuse, clear: refuse });
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}

/** When a folder with a package of its own is installed anew. */
import { describe, expect, test } from 'vitest';
import { isAsLocked } from '../../scripts/install-apart.ts';

const schemas = { integrity: 'sha512-of-the-schemas' };
const forMacs = { integrity: 'sha512-for-macs', optional: true };
const folder = { '': {} };

describe('nothing is left to install where there is', () => {
  test.for([
    ['all of it', { a: schemas, b: forMacs }, true],
    ['all but what is for another kind of machine', { a: schemas }, true],
    ['nothing, or not to its end', undefined, false],
    ['all but one that is needed', { b: forMacs }, false],
    ['one in another version', { a: { integrity: 'sha512-of-older-ones' } }, false],
    ['an optional one in another version', { a: schemas, b: { integrity: 'sha512-of-older-ones' } }, false],
    ['one that the lock file no longer names', { a: schemas, c: schemas }, false],
  ] as const)('%s', ([, installed, isEnough]) => {
    expect(isAsLocked({ ...folder, a: schemas, b: forMacs }, installed)).toBe(isEnough);
  });
});

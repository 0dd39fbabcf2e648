import { expect, test } from 'vitest';
import { tokenIn } from '../../../src/http/bearer.ts';

const ONE = { name: 'one', secret: 'a'.repeat(40) };
const TWO = { name: undefined, secret: `${'b'.repeat(40)}==` };

test.each<[string | undefined, unknown]>([
  [`Bearer ${ONE.secret}`, ONE],
  [`bearer   ${ONE.secret} `, ONE],
  [`Bearer ${TWO.secret}`, TWO],
  [undefined, undefined],
  ['', undefined],
  ['Bearer', undefined],
  ['Bearer ', undefined],
  [ONE.secret, undefined],
  [`Basic ${ONE.secret}`, undefined],
  [`Bearer ${ONE.secret}a`, undefined],
  [`Bearer ${ONE.secret.slice(1)}`, undefined],
  [`Bearer ${ONE.secret.toUpperCase()}`, undefined],
  [`Bearer ${ONE.secret} ${ONE.secret}`, undefined],
  [`Bearer ${ONE.secret}, Bearer ${ONE.secret}`, undefined],
  [`Bearer ${'b'.repeat(40)}`, undefined],
  [`Bearer ${'a'.repeat(5_000)}`, undefined],
])('%s', (authorization, token) => {
  expect(tokenIn(authorization, [ONE, TWO])).toBe(token);
});

test('without tokens nobody is let in', () => {
  expect(tokenIn(`Bearer ${ONE.secret}`, [])).toBeUndefined();
  expect(tokenIn('Bearer ', [])).toBeUndefined();
});

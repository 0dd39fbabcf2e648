/**
 * Tests of endurance have a short form, which proves their sentence once, and a long one, which proves it again and again:
 * `npm run test:stress`, a step of its own in CI.
 */
const isLong = process.env.PK_STRESS === 'long';

export const shortOrLong = <T>(short: T, long: T): T => (isLong ? long : short);

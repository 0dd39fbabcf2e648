import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { prepareEnvironment } from './test/support/environment.ts';
import { AlternatingSequencer } from './test/support/sequencer.ts';

// Whole processes and servers on a machine that is busy with others: what fails must fail again. A retry is told.
const ofProcesses = { retry: process.env.CI === undefined ? 0 : 2 };

// Processes that run many files, one after the other: collecting their garbage less often is a twelfth of their processor time.
const ofMany = { execArgv: ['--max-semi-space-size=64'] };

prepareEnvironment(process.env);

const needsServer = { globalSetup: ['test/support/server.ts'] };
const needsProgram = {
  globalSetup: ['test/support/server.ts', 'test/support/program.ts', 'test/support/server-template.ts'],
};

export default defineConfig({
  test: {
    pool: 'forks',
    // More than there are processors: most tests wait for a server, or for another process, most of the time.
    maxWorkers: availableParallelism() + 3,
    sequence: { sequencer: AlternatingSequencer },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/architecture.test.ts'],
          // No module has state of its own, and loading them anew takes longer than most of these files' tests.
          isolate: false,
          ...ofMany,
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'db',
          ...ofProcesses,
          include: ['test/db/**/*.test.ts'],
          // As above; a process for each file and what it loads are a fifth of the processor time of all of them.
          isolate: false,
          ...ofMany,
          testTimeout: 60_000,
          hookTimeout: 30_000,
          ...needsServer,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          ...ofProcesses,
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          ...needsProgram,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          ...ofProcesses,
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          ...needsProgram,
        },
      },
      // Not a part of `npm test`: it needs Chromium.
      {
        extends: true,
        test: {
          name: 'browser',
          ...ofProcesses,
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...needsProgram,
        },
      },
      // Not a part of `npm test`: it needs a Docker engine.
      {
        extends: true,
        test: {
          name: 'containers',
          include: ['test/containers/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          globalSetup: ['test/support/container-image.ts'],
        },
      },
      // Not a part of `npm test`: the published schemas are installed apart.
      {
        extends: true,
        test: { name: 'kubernetes', include: ['test/kubernetes/*.test.ts'], testTimeout: 30_000 },
      },
      // Not a part of `npm test`: it goes on for as long as one likes.
      { extends: true, test: { name: 'soak', include: ['test/soak/**/*.test.ts'], hookTimeout: 120_000 } },
    ],
  },
});

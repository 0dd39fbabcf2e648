/** The library. Importing it has no side effects: no environment is read, no signal handled, nothing connected. */
export { type App, createApp } from './app.ts';
export type { Config } from './config/config.ts';
export { type ConfigInput, loadConfig } from './config/load.ts';
export { ConfigError, type ConfigProblem } from './config/problems.ts';
export { ERROR_CODES, type ErrorCode, EXIT_CODES, MaintenanceError } from './domain/errors.ts';
export type { Facts } from './domain/facts.ts';
export type { Finding } from './domain/findings.ts';
export { type Action, JOB_NAMES, type JobName, type Plan, type Skip } from './domain/plan.ts';
export type { Policies, TablePolicy, ViewPolicy } from './domain/policy.ts';
export { statementsOf } from './executor/execute.ts';
export { planRound } from './jobs/plan-round.ts';
export { jobs, targetsOf } from './jobs/registry.ts';
export { observe } from './observe.ts';
export { createClient, type TriggerClient, type Triggered, type TriggerRequest } from './queue/client.ts';
export type { Emit, Event, Outcome } from './report/events.ts';
export { type RunReport, type RunRequest, runJob } from './run-job.ts';

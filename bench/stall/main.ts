/** `npm run bench:stall`: how long inserts wait while partitions are created and retired, side by side. See bench/README.md. */
import { writeFile } from 'node:fs/promises';
import type { Contender } from './contenders/contender.ts';
import { describeMachine, isRealTime, watchProcessors } from './machine.ts';
import { type Measurement, measure } from './measure.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { oneLine, type Report, reportText } from './report.ts';
import { openScene, type Scene } from './scene.ts';
import { openServer } from './server.ts';

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const progress = (text: string): void => void process.stderr.write(`${text}\n`);

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    // Once more: out, whatever is left behind.
    if (stopping.signal.aborted) process.exit(130);
    progress('stopping: databases, processes and the server are cleaned up …');
    stopping.abort(new Error(`stopped by ${signal}`));
  });

try {
  process.exitCode = await bench(process.argv.slice(2));
} catch (error) {
  progress(error instanceof Error ? error.message : String(error));
  process.exitCode = stopping.signal.aborted ? 130 : 1;
}

async function bench(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    print(HELP);
    return 0;
  }
  const { signal } = stopping;
  const server = await openServer(options.server, signal);
  try {
    progress(server.description);
    const scene = await openScene(server.url);
    try {
      const busyness = watchProcessors();
      const { present, absent } = await sort(options.contenders, scene);
      for (const { title, because } of absent) progress(`${title} is left out: ${because}`);
      const measurements = await measureAll({ ...options, contenders: present }, scene, signal);
      const report: Report = {
        machine: describeMachine(),
        server: server.description,
        date: new Date().toISOString().slice(0, 10),
        busyness: busyness(),
        goesFirst: isRealTime(),
        yields: options.yields,
        runs: options.runs,
        scenarios: options.scenarios,
        contenders: present,
        absent,
        measurements,
      };
      await hand(report, options);
      return 0;
    } finally {
      await scene.close();
    }
  } finally {
    await server.close();
  }
}

async function sort(contenders: readonly Contender[], { admin }: Scene) {
  const present: Contender[] = [];
  const absent: { title: string; because: string }[] = [];
  for (const contender of contenders) {
    const because = await contender.absence(admin);
    if (because === undefined) present.push(contender);
    else absent.push({ title: contender.title, because });
  }
  return { present, absent };
}

async function measureAll(
  { runs, scenarios, contenders, yields }: Options,
  scene: Scene,
  signal: AbortSignal,
): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  const total = runs * scenarios.length * contenders.length;
  for (let run = 1; run <= runs; run += 1)
    for (const scenario of scenarios)
      for (const contender of rotated(contenders, run)) {
        const head = `[${measurements.length + 1}/${total}] ${scenario.name} ${contender.name}`;
        const measurement = await measure({ scene, scenario, contender, run, yields, signal });
        measurements.push(measurement);
        progress(`${head}: ${oneLine(measurement)}`);
      }
  return measurements;
}

/** Nobody is always the first or the last, in case the machine gets busier. */
function rotated<T>(all: readonly T[], run: number): readonly T[] {
  const from = (run - 1) % all.length;
  return [...all.slice(from), ...all.slice(0, from)];
}

async function hand(report: Report, { json, output }: Options): Promise<void> {
  const text = reportText(report);
  if (output !== undefined) await writeFile(output, text);
  if (!json) return print(text);
  const contenders = report.contenders.map(({ name }) => name);
  const scenarios = report.scenarios.map(({ name }) => name);
  print(JSON.stringify({ ...report, contenders, scenarios }, undefined, 2));
}

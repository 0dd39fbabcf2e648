/** In which order the files of a run are begun. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Their tests wait for processes and servers most of the time; those of the other projects compute. */
const WAITING = ['e2e', 'faults'];

/** How many files of a kind come one after the other: a process is used again only by a file of the same project that is next. */
const IN_A_ROW = { waiting: 3, computing: 5 };

/** Takes turns between files that wait and files that compute, so that the processors have something to do all the time. */
export class AlternatingSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isWaiting = ({ project }: TestSpecification): boolean => WAITING.includes(project.name);
    const waiting = chunks(sorted.filter(isWaiting), IN_A_ROW.waiting);
    const computing = chunks(
      sorted.filter(file => !isWaiting(file)),
      IN_A_ROW.computing,
    );
    const turns = Math.max(waiting.length, computing.length);
    return Array.from({ length: turns }, (_, turn) => [...(waiting[turn] ?? []), ...(computing[turn] ?? [])]).flat();
  }
}

const chunks = <T>(list: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size));

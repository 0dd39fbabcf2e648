/** In which order the files of a run are begun. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Their tests wait for processes and servers most of the time; those of the other projects compute. */
const WAITING = ['e2e', 'faults'];

/** Takes turns between files that wait and files that compute, so that the processors have something to do all the time. */
export class AlternatingSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isWaiting = ({ project }: TestSpecification): boolean => WAITING.includes(project.name);
    const [waiting, computing] = [sorted.filter(isWaiting), sorted.filter(file => !isWaiting(file))];
    const turns = Math.max(waiting.length, computing.length);
    return Array.from({ length: turns }, (_, turn) => [waiting[turn], computing[turn]])
      .flat()
      .filter(file => file !== undefined);
  }
}

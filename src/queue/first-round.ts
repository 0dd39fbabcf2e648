/** When what was due at the start is done, as far as this process did it. */
import type { RunReport } from '../run-job.ts';

export interface FirstRound {
  readonly offered: (id: string) => void;
  readonly finished: (report: RunReport) => void;
}

/** Waits for the runs that were offered first; one that another replica took, or that comes later, is not waited for. */
export function firstRound(onOver: (reports: readonly RunReport[]) => void): FirstRound {
  const open = new Set<string>();
  const reports: RunReport[] = [];
  let isOver = false;
  return {
    offered(id) {
      if (!isOver) open.add(id);
    },
    finished(report) {
      if (isOver) return;
      reports.push(report);
      open.delete(report.run.runId);
      if (open.size > 0) return;
      isOver = true;
      onOver(reports);
    },
  };
}

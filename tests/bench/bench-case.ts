import type { Result } from './report.ts';
import type { Workbench } from './workbench.ts';

/** One `npm run bench -- <name>`: measures, and reports its metrics as it gets them. */
export interface Bench {
  readonly name: string;
  run(context: BenchContext): Promise<void>;
}

export interface BenchOptions {
  /** Measurements of each side; what is reported is their median. */
  readonly rounds: number;
  /** Length of one measurement; each bench has its own default. */
  readonly seconds?: number | undefined;
  /** How our readers of `fanout` are addressed. */
  readonly form: 'subscribe' | 'mention';
  readonly natsServer: string;
  /** Whether our server runs from `dist/`, as where it is installed. */
  readonly built: boolean;
  /** Folder for CPU profiles of our server. */
  readonly profileDir?: string | undefined;
}

export interface BenchContext {
  readonly options: BenchOptions;
  readonly workbench: Workbench;
  /** False for a metric that was not asked for. */
  wants(metric: string): boolean;
  report(result: Result): void;
  /** One line for people who watch. */
  progress(line: string): void;
  /** One line that must be seen with the figures, such as why a peer is absent. */
  note(line: string): void;
}

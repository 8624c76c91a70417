import type { Site } from './site.ts';

/** One thing that a broker must do. */
export interface Check {
  /** A sentence about the broker. */
  readonly title: string;
  /** Where the wire specification says so: a section, a row of Appendix A, or a gap (G…). */
  readonly section: string;
  /** `reference`: v0.2.0 does it too. `nexus`: what this project does better. */
  readonly profile: 'reference' | 'nexus';
  run(site: Site): Promise<void>;
}

type Run = Check['run'];

/** What every broker of this protocol does. */
export const reference = (section: string, title: string, run: Run): Check => ({
  title,
  section,
  profile: 'reference',
  run,
});

/** What goes beyond the reference. */
export const nexus = (section: string, title: string, run: Run): Check => ({
  title,
  section,
  profile: 'nexus',
  run,
});

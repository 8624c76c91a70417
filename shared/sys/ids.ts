import { monotonicFactory } from 'ulid';

/** Makes ids that sort by the time they were made, also within one millisecond. */
export type NewId = () => string;

/** ULIDs: 26 characters, increasing within this process. */
export const newUlid: NewId = monotonicFactory();

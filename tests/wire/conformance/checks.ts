import { chatChecks } from './chat-checks.ts';
import type { Check } from './check.ts';
import { connectionChecks } from './connection-checks.ts';
import { featureChecks } from './feature-checks.ts';
import { identityChecks } from './identity-checks.ts';
import { registrationChecks } from './registration-checks.ts';

/** Everything that the protocol asks of a broker. */
export const checks: readonly Check[] = [
  ...connectionChecks,
  ...identityChecks,
  ...registrationChecks,
  ...chatChecks,
  ...featureChecks,
];

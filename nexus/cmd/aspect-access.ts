import type { AspectAdmin } from '../aspects/aspect-admin.ts';
import { findBroker, hasBroker } from '../operator/broker-access.ts';
import { RemoteAspects } from '../operator/remote-aspects.ts';

/** Where an `aspect` command works. */
export interface AspectPlace {
  readonly 'data-dir': string;
  readonly via?: string | undefined;
  readonly pin?: string | undefined;
}

/** Through the broker where one runs, else on the data directory itself. */
export async function openAspects(place: AspectPlace): Promise<AspectAdmin> {
  const { 'data-dir': dataDir, via, pin } = place;
  if (via !== undefined || hasBroker(dataDir)) {
    const token = process.env['NEXUS_ADMIN_TOKEN'];
    return new RemoteAspects(findBroker(dataDir, { url: via, pin, token }));
  }
  const { openLocalAspects } = await import('../app/local-aspects.ts');
  return openLocalAspects(dataDir);
}

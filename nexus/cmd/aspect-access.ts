import type { AspectAdmin } from '../aspects/aspect-admin.ts';
import { findBroker, hasBroker } from '../operator/broker-access.ts';
import { RemoteAspects } from '../operator/remote-aspects.ts';

/** Where an `aspect` command works. */
export interface AspectPlace {
  readonly 'data-dir': string;
  readonly via?: string | undefined;
}

/** Through the broker where one runs, else on the data directory itself. */
export async function openAspects(place: AspectPlace): Promise<AspectAdmin> {
  const { 'data-dir': dataDir, via } = place;
  if (via !== undefined || hasBroker(dataDir)) {
    return new RemoteAspects(
      findBroker(dataDir, {
        url: via,
        pin: process.env['NEXUS_PIN'],
        token: process.env['NEXUS_ADMIN_TOKEN'],
      }),
    );
  }
  const { openLocalAspects } = await import('../app/local-aspects.ts');
  return openLocalAspects(dataDir);
}

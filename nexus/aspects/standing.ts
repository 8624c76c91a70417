import type { AspectStanding } from '../credentials/session-token.ts';
import type { TokenStore } from '../credentials/token-store.ts';
import type { AspectRegistry } from './registry.ts';

/** Who may come in as an aspect: whoever has an identity or a token, and is not retired. */
export function aspectStanding(registry: AspectRegistry, tokens: TokenStore): AspectStanding {
  return {
    find(name) {
      const record = registry.find(name);
      if (record) {
        const { status, version: kfv } = record;
        return status === 'retired' ? undefined : { name: record.name, kfv };
      }
      const spelt = tokens.findName(name);
      return spelt === undefined ? undefined : { name: spelt, kfv: 0 };
    },
    isRetired: (name) => registry.isRetired(name),
  };
}

import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a Chromium is; undefined on machines without one. */
export const chromiumPath = places.find((path) => existsSync(path));

export const noChromium = chromiumPath
  ? false
  : 'no Chromium is installed (apt-get install chromium)';

export function launchChromium(): Promise<Browser> {
  // Containers have no namespaces for its sandbox, and all that it opens is our own page.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'];
  return chromium.launch({ executablePath: chromiumPath ?? '', args });
}

/** Gives a context's first page an authenticator that says yes, as a person's laptop would. */
export async function withAuthenticator(context: BrowserContext) {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return page;
}

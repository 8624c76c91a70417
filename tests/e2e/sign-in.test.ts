import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, noChromium, withAuthenticator } from './chromium.ts';
import { nexus, Place, Run } from './nexus-process.ts';

suite('signing in at a browser', { skip: noChromium }, () => {
  let place: Place;
  let browser: Browser;

  const closing: (() => Promise<void>)[] = [];

  before(async () => {
    place = new Place({ after: (close) => closing.push(close) }, { empty: true });
    await new Run(place, ['serve', '--addr', '127.0.0.1:0', '--json']).event('ready');
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    for (const close of closing) await close();
  });

  /** A link from the host, as an operator there would make it. */
  async function link(): Promise<string> {
    const { stdout } = await nexus(place, ['operator', 'login', '--json']);
    return (JSON.parse(stdout) as { url: string }).url;
  }

  async function enter(page: Page): Promise<void> {
    await page.goto(await link());
    await page.getByRole('button', { name: 'Sign in on this browser' }).click();
    await page.getByText('Signed in as operator').waitFor();
  }

  test('by a link, then by the passkey that was added; and out at once, also from elsewhere', async () => {
    const laptop = await browser.newContext();
    const page = await withAuthenticator(laptop);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (/Content.Security.Policy/i.test(message.text())) problems.push(message.text());
    });

    await enter(page);
    assert.equal(new URL(page.url()).hash, '', 'the code is out of the address bar');
    assert.equal(await page.evaluate('document.cookie'), '', 'pages cannot see the session');

    await page.getByLabel('Name of this device').fill('laptop');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('Added laptop.').waitFor();

    await page.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('Signed out.').waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('Signed in as operator').waitFor();
    await page.getByText(/laptop/).waitFor();

    const phone = await browser.newContext({ userAgent: 'Mozilla/5.0 (Android 15) Firefox/140.0' });
    const other = await phone.newPage();
    await enter(other);
    await page.reload();
    const theirs = page.getByRole('listitem').filter({ hasText: 'Firefox on Android' });
    await theirs.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('Signed that browser out.').waitFor();
    const { status } = await other.evaluate(async () => {
      const answer = await fetch('/api/operator/me');
      return { status: answer.status };
    });
    assert.equal(status, 401);
    await other.reload();
    await other.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
    assert.deepEqual(problems, []);
  });

  test('a link works once, and says so', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const url = await link();
    for (const says of ['Signed in as operator', 'this link was used']) {
      // Elsewhere first: going to the same page with another fragment loads nothing.
      await page.goto('about:blank');
      await page.goto(url);
      await page.getByRole('button', { name: 'Sign in on this browser' }).click();
      await page.getByText(says).waitFor();
    }
  });
});

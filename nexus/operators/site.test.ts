import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Site, type SiteOptions } from './site.ts';

function siteOf(options: Partial<SiteOptions>, port = 7888): Site {
  const site = new Site({ host: '127.0.0.1', isSecure: false, ...options });
  site.boundTo(port);
  return site;
}

suite('Site', () => {
  test('on this machine it is localhost, under every name of the loopback', () => {
    const site = siteOf({});
    assert.equal(site.rpId, 'localhost');
    assert.equal(site.home, 'http://localhost:7888');
    assert.ok(site.isOwn('http://127.0.0.1:7888'));
    assert.ok(site.isOwn('http://[::1]:7888'));
    assert.ok(!site.isOwn('http://localhost:7889'));
    assert.ok(!site.isOwn('https://localhost:7888'));
    assert.ok(!site.isOwn('http://localhost.elsewhere.example:7888'));
  });

  test('beyond it, it is what the certificate names, and never what a request says', () => {
    const names = ['nexus.example', '*.example', 'localhost'];
    const site = siteOf({ host: '0.0.0.0', isSecure: true, certificateNames: names }, 443);
    assert.equal(site.rpId, 'nexus.example');
    assert.equal(site.home, 'https://nexus.example');
    assert.deepEqual(site.origins, ['https://nexus.example', 'https://localhost']);
  });

  test('what was chosen counts instead, and what is no address does not', () => {
    const origins = ['https://Nexus.example:8443/', 'not an address'];
    const site = siteOf({ rpId: 'nexus.example', origins });
    assert.equal(site.rpId, 'nexus.example');
    assert.deepEqual(site.origins, ['https://nexus.example:8443']);
  });

  test('without a name there are no passkeys', () => {
    const site = siteOf({ host: '10.0.0.5', isSecure: true });
    assert.equal(site.rpId, undefined);
    assert.equal(site.home, 'https://10.0.0.5:7888');
  });
});

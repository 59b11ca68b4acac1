// The rules without a network; that they hold for a real connection is test/attacks/g12_ssrf_receiver.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressRefused, createAddressPolicy } from './receiver_address.ts';

const abroad = 'https://id.example.com/auth';
const home = 'http://127.0.0.1:8080/auth';

function verdict(endpoint: string, networks: readonly string[] = [], issuer = abroad): string {
  try {
    createAddressPolicy(networks, issuer).check(new URL(endpoint));
    return 'allowed';
  } catch (error) {
    assert.ok(error instanceof AddressRefused);
    return 'refused';
  }
}

test('https to a name or a public address', () => {
  for (const endpoint of [
    'https://events.example.com/in?x=1',
    'https://events.example.com:8443/',
    'https://8.8.8.8/',
  ])
    assert.equal(verdict(endpoint), 'allowed', endpoint);
});

test('anything else is refused, however the address is written', () => {
  const refused = `http://events.example.com/ ftp://events.example.com/ file:///etc/passwd https://me:secret@events.example.com/
    https://events.example.com/#x https://127.0.0.1/ https://2130706433/ https://0x7f.1/ https://0177.0.0.1/ https://127.1/ https://[::1]/
    https://[::ffff:127.0.0.1]/ https://[::ffff:8.8.8.8]/ https://10.0.0.1/ https://192.168.0.1/ https://169.254.169.254/
    https://[fe80::1]/ https://[fd00:ec2::254]/ https://0.0.0.0/ https://[::]/ https://[64:ff9b::7f00:1]/ http://localhost/ http://127.0.0.1/`;
  for (const endpoint of refused.split(/\s+/)) assert.equal(verdict(endpoint), 'refused', endpoint);
});

test('loopback at home, and one’s own networks where the settings name them; link-local never', () => {
  for (const endpoint of [
    'http://127.0.0.1:9000/',
    'http://localhost:9000/',
    'http://[::1]/',
    'https://127.0.0.1/',
  ])
    assert.equal(verdict(endpoint, [], home), 'allowed', endpoint);
  assert.equal(verdict('https://10.0.0.1/', [], home), 'refused');
  assert.equal(verdict('https://10.1.0.1/', ['10.1.0.0/16']), 'allowed');
  assert.equal(verdict('https://10.2.0.1/', ['10.1.0.0/16']), 'refused');
  assert.equal(verdict('http://10.1.0.1/', ['10.1.0.0/16']), 'refused', 'in the clear over a wire');
  assert.equal(verdict('http://127.0.0.1/', ['127.0.0.0/8']), 'allowed');
  assert.equal(verdict('https://169.254.169.254/', ['0.0.0.0/0'], home), 'refused');
});

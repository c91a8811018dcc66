import { describe, expect, test } from 'vitest';
import { AddressGuard, AddressRefused, isPublic } from './address-guard.js';

test.each([
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::7f00:1',
  '100::1',
  '2001::1',
  '2001:2::1',
  '2001:10::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '4000::1',
  '5f00::1',
  'fc00::1',
  'fd00::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  '',
  'localhost',
  '127.0.0.1:80',
])('%j is not a public address', (address) => {
  expect(isPublic(address)).toBe(false);
});

test.each(['1.1.1.1', '8.8.8.8', '93.184.216.34', '172.32.0.1', '::ffff:8.8.8.8', '2606:4700:4700::1111', '2a00:1450:4001::1'])(
  '%j is a public address',
  (address) => {
    expect(isPublic(address)).toBe(true);
  },
);

function accepts(entries: string[], host: string, port: number, address: string): boolean {
  try {
    new AddressGuard(entries).check(host, port, address);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(AddressRefused);
    return false;
  }
}

describe('HTTP_ALLOW_HOSTS', () => {
  test.each([
    ['hooks.internal', 'hooks.internal', 80, '10.0.0.1'],
    ['Hooks.Internal', 'hooks.internal', 80, '10.0.0.1'],
    ['hooks.internal', 'hooks.internal.', 80, '10.0.0.1'],
    ['hooks.internal:8080', 'hooks.internal', 8080, '10.0.0.1'],
    ['*.internal', 'a.b.internal', 80, '10.0.0.1'],
    ['*.internal:81', 'a.internal', 81, '10.0.0.1'],
    ['10.0.0.1', '10.0.0.1', 80, '10.0.0.1'],
    ['10.0.0.1', 'any.name', 80, '10.0.0.1'],
    ['10.0.0.1', 'any.name', 80, '::ffff:10.0.0.1'],
    ['10.0.0.0/8', 'any.name', 80, '10.200.0.1'],
    ['10.0.0.0/8:8080', 'any.name', 8080, '10.200.0.1'],
    ['::1', '::1', 80, '::1'],
    ['[::1]', '::1', 80, '::1'],
    ['[::1]:8080', '::1', 8080, '0:0:0:0:0:0:0:1'],
    ['fd00::/8', 'any.name', 80, 'fd12::1'],
    ['[fd00::/8]:80', 'any.name', 80, 'fd12::1'],
  ])('%j lets %s port %i at %s pass', (entry, host, port, address) => {
    expect(accepts([], host, port, address)).toBe(false);
    expect(accepts(['other.example', entry], host, port, address)).toBe(true);
  });

  test.each([
    ['hooks.internal', 'xhooks.internal', 80, '10.0.0.1'],
    ['hooks.internal', 'hooks.internal.evil.example', 80, '10.0.0.1'],
    ['hooks.internal', 'a.hooks.internal', 80, '10.0.0.1'],
    ['hooks.internal:8080', 'hooks.internal', 80, '10.0.0.1'],
    ['*.internal', 'internal', 80, '10.0.0.1'],
    ['*.internal', 'evilinternal', 80, '10.0.0.1'],
    ['10.0.0.1', '10.0.0.1', 80, '10.0.0.2'],
    ['10.0.0.1:81', '10.0.0.1', 80, '10.0.0.1'],
    ['10.0.0.0/8', 'any.name', 80, '192.168.0.1'],
    ['10.0.0.0/8', 'any.name', 80, '64:ff9b::a00:1'],
    ['[::1]:8080', '::1', 80, '::1'],
    ['fd00::/8', 'any.name', 80, '10.0.0.1'],
  ])('%j does not let %s port %i at %s pass', (entry, host, port, address) => {
    expect(accepts([entry], host, port, address)).toBe(false);
  });

  test.each([
    '*',
    '*.',
    '.internal',
    'a..b',
    'a:0',
    'a:65536',
    'a:x',
    '10.0.0.0/33',
    '127.1',
    '10.0.0',
    '[::1',
    '[::1]:x',
    'a/8',
    'https://a',
    'a*b',
    '[]',
  ])('refuses the entry %j at start', (entry) => {
    expect(() => new AddressGuard([entry])).toThrow(`HTTP_ALLOW_HOSTS holds ${JSON.stringify(entry)}`);
  });
});

test('a refusal names the host and the remedy, not the address behind the name', () => {
  const check = () => new AddressGuard([]).check('intranet.example', 80, '10.20.30.40');
  expect(check).toThrow(expect.objectContaining({ code: 'ADDRESS_REFUSED' }));
  expect(check).toThrow(/intranet\.example does not resolve to public addresses only.*HTTP_ALLOW_HOSTS/);
  expect(check).not.toThrow('10.20.30.40');
});

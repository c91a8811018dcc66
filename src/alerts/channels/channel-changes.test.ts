import { expect, test } from 'vitest';
import { changedSpec, checkSpec, toChannelView } from './channel-changes.js';
import { secretFields, type Channel, type ChannelKind } from './channel.js';

const specs: Record<ChannelKind, Record<string, unknown>> = {
  socket: {},
  webhook: { url: 'https://a.example/', secret: 'canary-1', bearer_token: 'canary-2' },
  slack: { url: 'https://hooks.example/canary-3' },
  email: { host: 'smtp.example', port: 25, security: 'none', user: 'ops', password: 'canary-4', from: 'a@b.example', to: ['c@d.example'] },
  alertmanager: { url: 'https://am.example', bearer_token: 'canary-5' },
};

test.each(Object.keys(specs) as ChannelKind[])('no secret of a %s channel is ever shown', (kind) => {
  const spec = checkSpec(kind, specs[kind]);
  const view = toChannelView({ tenant_id: 't', kind, spec } as unknown as Channel);
  expect(JSON.stringify(view)).not.toContain('canary');
  for (const field of secretFields[kind]) expect(view.spec[`has_${field}`]).toBe(true);
});

test('a stored token does not follow to another address', () => {
  const channel = { kind: 'webhook', spec: specs.webhook } as unknown as Channel;
  expect(() => changedSpec(channel, { url: 'https://evil.example/' })).toThrow('spec.bearer_token: must be given again');
  expect(changedSpec(channel, { url: 'https://b.example/', bearer_token: null })).toEqual({
    url: 'https://b.example/',
    secret: 'canary-1',
  });
  expect(changedSpec(channel, { content_type: 'text/plain' })).toEqual({ ...specs.webhook, content_type: 'text/plain' });
});

test('a stored password does not follow to another server', () => {
  const channel = { kind: 'email', spec: specs.email } as unknown as Channel;
  expect(() => changedSpec(channel, { port: 26 })).toThrow('spec.password: must be given again');
  expect(changedSpec(channel, { to: ['e@f.example'] })).toMatchObject({ password: 'canary-4', to: ['e@f.example'] });
});

test.each([
  ['webhook', { url: 'ftp://a' }, 'spec.url: must be an http:// or https:// URL'],
  ['webhook', { url: 'https://u:p@a/' }, 'spec.url: must not hold a user name'],
  ['webhook', { url: 'https://a/', secret: 'a\nb' }, 'spec.secret: must be 1 to 512 printable ASCII'],
  ['webhook', { url: 'https://a/', template: '{% if %}' }, 'spec.template: must be a Liquid template'],
  ['webhook', { url: 'https://a/', header: 'x' }, 'spec.header: is not a known field'],
  ['slack', {}, 'spec.url: must be'],
  ['email', { ...specs.email, to: ['a@b.example\r\nBcc: x'] }, 'spec.to: must be a list of 1 to 50 mail addresses'],
  ['socket', { url: 'x' }, 'spec.url: is not a known field'],
] as const)('a %s channel with %j is refused', (kind, spec, message) => {
  expect(() => checkSpec(kind, spec)).toThrow(message);
});

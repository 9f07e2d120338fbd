import { expect, test } from 'vitest';
import { isReturnUrlAllowed, readCallback } from './rules.ts';

const allowed = ['https://shop.example/after', 'http://localhost:3000'];

test.each([
  ['the address itself', 'https://shop.example/after', true],
  ['an address below it', 'https://shop.example/after/done?x=1', true],
  ['anything on an allowed origin', 'http://localhost:3000/anything', true],
  ['an address that only begins alike', 'https://shop.example/afterwards', false],
  ['another host', 'https://shop.example.evil.test/after', false],
  ['another scheme', 'http://shop.example/after', false],
  ['a way up and out', 'https://shop.example/after/../admin', false],
  ['a user name in front', 'https://shop.example@evil.test/after', false],
  ['credentials', 'https://a:b@shop.example/after', false],
  ['a script', 'javascript:alert(1)', false],
  ['no address', 'after', false],
])('a browser may be sent to %s: %s %s', (_, url, expected) => {
  expect(isReturnUrlAllowed(url, allowed)).toBe(expected);
});

test.each([
  ['a code', 'state=s&code=c', { outcome: 'code', state: 's', code: 'c' }],
  ['a denial', 'state=s&error=user_denied', { outcome: 'denied', state: 's' }],
  ['an error beside a code', 'state=s&code=c&error=x', { outcome: 'denied', state: 's' }],
  ['no state', 'code=c', { outcome: 'foreign' }],
  ['neither', 'state=s', { outcome: 'foreign' }],
  ['a state that is far too long', `code=c&state=${'s'.repeat(513)}`, { outcome: 'foreign' }],
])('a browser that comes back with %s', (_, query, expected) => {
  expect(readCallback(new URLSearchParams(query))).toEqual(expected);
});

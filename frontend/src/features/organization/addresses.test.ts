import { expect, test } from 'vitest';

import { addressesIn, checkAddresses } from './addresses';

test.each([
  ['a@x.org, b@x.org;c@x.org\nd@x.org e@x.org', ['a@x.org', 'b@x.org', 'c@x.org', 'd@x.org', 'e@x.org']],
  ['Ada Lovelace <a@x.org>, "Hopper, Grace" <g@x.org>', ['a@x.org', 'g@x.org']],
  [' a@x.org ,, a@x.org\r\n', ['a@x.org']],
  ['', []],
])('%j holds the addresses %j', (text, addresses) => expect(addressesIn(text)).toEqual(addresses));

test('what is no address is named before anything is sent', () => {
  expect(checkAddresses('a@x.org, ada, b@')).toBe('No e-mail address: ada, b@.');
  expect(checkAddresses(Array.from({ length: 101 }, (_, number) => `a${number}@x.org`).join('\n'))).toBe('Invite at most 100 people at once; these are 101.');
  expect(checkAddresses('a@x.org')).toBe(true);
});

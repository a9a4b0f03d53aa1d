/** Which destinations `NO_PROXY` takes out: the cases of `protocol/src/no_proxy.rs`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Network } from '../../action/network.mjs';
import { isExempt } from '../../action/proxy.mjs';

test('NO_PROXY as Go reads it', () => {
  for (const [list, host, port, exempt] of [
    ['example.com', 'example.com', '443', true],
    ['example.com', 'a.example.com', '443', true],
    ['example.com', 'badexample.com', '443', false],
    ['.example.com', 'a.example.com', '443', true],
    ['.example.com', 'example.com', '443', false],
    ['*.example.com', 'a.example.com', '443', true],
    ['x, EXAMPLE.com ,y', 'example.com', '443', true],
    ['example.com:8443', 'example.com', '443', false],
    ['example.com:443', 'example.com', '443', true],
    ['example.com:x', 'example.com', '443', false],
    ['*', 'example.com', '443', true],
    ['', 'example.com', '443', false],
    [',', 'example.com', '443', false],
    ['10.0.0.0/8', '10.1.2.3', '443', true],
    ['10.0.0.0/8', '11.1.2.3', '443', false],
    ['10.0.0.0/x', '10.1.2.3', '443', false],
    ['0.0.0.0/0', '11.1.2.3', '443', true],
    ['2001:db8::/32', '2001:db8::1', '443', true],
    ['::/0', '2001:db8::1', '443', true],
    ['2001:db8::1', '2001:db8::1', '443', true],
    ['[2001:db8::1]:443', '2001:db8::1', '443', true],
    ['[2001:db8::1]:8443', '2001:db8::1', '443', false],
    ['10.0.0.1', '10.0.0.1', '443', true],
    ['[', 'example.com', '443', false],
  ]) assert.equal(isExempt(list, host, port), exempt, `${list} ${host}:${port}`);
});

test('an origin is https, or http to this very machine, and nothing more', () => {
  const fit = [
    'https://a.example', 'https://a_b.example:8443', 'https://[2001:db8::1]', 'http://127.0.0.1:1', 'http://127.8.9.10',
    'http://[::1]:8200', 'http://localhost:8200',
  ];
  for (const origin of fit) assert.ok(new Network({ provider: origin }), origin);
  const unfit = [
    'http://a.example', 'http://127.0.0.1.example', 'http://128.0.0.1', 'http://[::2]', 'ftp://a.example', 'a.example', '',
    'https://user@a.example', 'https://a.example/', 'https://a.example/path', 'http://0.0.0.0',
  ];
  for (const origin of unfit) assert.throws(() => new Network({ provider: origin }), origin);
});

test('a request goes to a destination that was fixed, by a path', async () => {
  const network = new Network({ provider: 'http://127.0.0.1:1' });
  const request = { to: 'provider', method: 'GET', path_and_query: '/', headers: [], body: '', repeat: 'safe' };
  const { signal } = new AbortController();
  for (const change of [{ to: 'identity' }, { path_and_query: '@evil.example/' }, { path_and_query: '.evil.example/' },
    { path_and_query: '/a b' }, { headers: [['x', 'a\r\nb']] }]) {
    assert.deepEqual(await network.send({ ...request, ...change }, 1000, signal), { Err: 'unsendable' });
  }
  assert.deepEqual(await network.send(request, 1000, signal), { Err: { unreachable: 'closed' } });
  assert.deepEqual(await network.send(request, 0, signal), { Err: 'slow' });
});

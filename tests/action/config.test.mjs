/** What the host does to docker's file: it moves its text, and understands none of it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

const IS_WINDOWS = process.platform === 'win32';
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'hublease-config-'));
test.after(() => fs.rmSync(root, { recursive: true }));
process.env.DOCKER_CONFIG = root;
const file = path.join(root, 'config.json');
const { configure } = await import('../../action/config.mjs');

const at = { client: 'docker', directory: 'user' };
const read = () => configure({ read: at });
const write = (over, content) => configure({ write: { ...at, over, content } });

test('whatever is text comes as it is, and an absent file is empty', async () => {
  assert.deepEqual(await read(), { Ok: { file: { content: '', exposed: false, exists: false } } });
  for (const content of ['', ' \n', '{', '{} {}', '\ufeff{}\r\n\0', '{"é":"\\ud800\\/"}']) {
    fs.writeFileSync(file, content, { mode: 0o600 });
    assert.deepEqual(await read(), { Ok: { file: { content, exposed: false, exists: true } } });
  }
});

test('what is no text, no file or too large is not handed on', async () => {
  fs.writeFileSync(file, Buffer.from([0x7b, 0xff, 0x7d]));
  assert.deepEqual(await read(), { Err: 'malformed' });
  fs.writeFileSync(file, ' '.repeat(1024 * 1024 + 1));
  assert.match((await read()).Err.unusable, /config\.json: it is larger than 1 MiB$/);
  fs.rmSync(file);
  fs.mkdirSync(file);
  assert.match((await read()).Err.unusable, /config\.json: it is not a file$/);
  fs.rmdirSync(file);
});

test('a file is replaced only while it holds what was read', async () => {
  assert.deepEqual(await write('what was there', 'ours'), { Err: 'changed' });
  assert.ok(!fs.existsSync(file));
  assert.deepEqual(await write('', 'theirs'), { Ok: 'done' });
  assert.deepEqual(await write('', 'ours'), { Err: 'changed' });
  assert.equal(fs.readFileSync(file, 'utf8'), 'theirs');
  fs.chmodSync(file, 0o640);
  assert.deepEqual(await write('theirs', 'ours'), { Ok: 'done' });
  assert.equal(fs.readFileSync(file, 'utf8'), 'ours');
  assert.equal((await read()).Ok.file.exposed, !IS_WINDOWS);
  assert.deepEqual(fs.readdirSync(root), ['config.json'], 'nothing of a try is left');
});

test('a file that the record names is used, and no other', async () => {
  const elsewhere = fs.mkdtempSync(path.join(root, 'elsewhere-'));
  const [named, other] = ['auth.json', 'other.json'].map((name) => path.join(elsewhere, name));
  for (const place of [named, other]) fs.writeFileSync(place, 'x', { mode: 0o600 });
  process.env.STATE_record = JSON.stringify({ shared: [{ file: named }] });
  const at = (recorded) => ({ client: 'podman', directory: { recorded } });
  assert.deepEqual(await configure({ read: at(named) }), { Ok: { file: { content: 'x', exists: true, exposed: false } } });
  const holds = { ...at(named), holder: 'a'.repeat(32), note: 'y', sharing: { seeds: [] } };
  assert.deepEqual(await configure({ hold: holds }), { Ok: 'done' });
  assert.deepEqual(await configure({ holds: at(named) }), { Ok: { holds: [{ holder: 'a'.repeat(32), note: 'y' }] } });
  assert.deepEqual(await configure({ release: holds }), { Ok: 'done' });
  for (const place of [other, elsewhere, path.join(elsewhere, 'AUTH.json'), `${named}/..`, 'auth.json', '', named.slice(1)]) {
    for (const effect of [{ read: at(place) }, { write: { ...at(place), over: 'x', content: 'y' } }, { hold: { ...holds, ...at(place) } }]) {
      const { Err: trouble } = await configure(effect).catch((error) => ({ Err: { unusable: error.message } }));
      assert.ok(trouble?.unusable, `${place}: ${JSON.stringify(effect)}`);
    }
  }
  delete process.env.STATE_record;
  assert.equal(fs.readFileSync(other, 'utf8'), 'x');
});

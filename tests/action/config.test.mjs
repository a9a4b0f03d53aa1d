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

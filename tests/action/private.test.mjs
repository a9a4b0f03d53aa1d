/** Private directories of the Action, by the table that the program is held to as well. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

const root = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'hublease-private-'));
test.after(() => fs.rmSync(root, { recursive: true }));
const table = JSON.parse(fs.readFileSync(new URL('../fixtures/private-directory.json', import.meta.url), 'utf8'));
const sharing = {
  linked: true,
  apart: ['config.json', '.tmp-config.json', '.token_seed', '.hublease', '.user'],
  seeds: ['.token_seed'],
  made: ['buildx'],
};
const ID = '0123456789abcdef0123456789abcdef';
const IS_WINDOWS = process.platform === 'win32';

/** Makes what lines say; a `!` in front takes away first what is there, as a tool does that writes beside and renames. */
function fill(at, lines) {
  for (const line of lines) {
    const isAnew = line.startsWith('!');
    const text = isAnew ? line.slice(1) : line;
    const [, name, target] = /^(.*?) -> (.*)$/.exec(text) ?? [];
    const [, file, content] = /^(.*?)=(.*)$/s.exec(text) ?? [];
    if (isAnew) fs.rmSync(path.join(at, file));
    if (name) fs.symlinkSync(target, path.join(at, name));
    else if (file) fs.writeFileSync(path.join(at, file), content);
    else fs.mkdirSync(path.join(at, text), { recursive: true });
  }
}

function shown(at) {
  return fs.readdirSync(at).sort().flatMap((name) => {
    const place = path.join(at, name);
    const stat = fs.lstatSync(place);
    if (stat.isSymbolicLink()) return [`${name} -> ${fs.readlinkSync(place)}`];
    if (!stat.isDirectory()) return [`${name}=${fs.readFileSync(place, 'utf8')}`];
    return [`${name}/`, ...shown(place).map((line) => `${name}/${line}`)];
  });
}

const rows = table.cases.flatMap((row) => [[row.name, row, false], [`${row.name}, across file systems`, row, true]]);

/** A rename as between two file systems, which knows them by what a name begins with. */
function renaming(user) {
  const { renameSync } = fs;
  const isThere = (place) => `${place}${path.sep}`.startsWith(`${user}${path.sep}`);
  fs.renameSync = (from, to) => {
    if (isThere(from) === isThere(to)) return renameSync(from, to);
    refused.add(from);
    throw Object.assign(new Error('EXDEV: cross-device link not permitted'), { code: 'EXDEV' });
  };
  return () => {
    fs.renameSync = renameSync;
  };
}

/** What was to be renamed across. */
const refused = new Set();

for (const [number, [name, row, isAcross]] of rows.entries()) {
  test(name, { skip: IS_WINDOWS && 'links need a right there' }, async () => {
    const [user, temporary] = [path.join(root, `${number}`, 'user'), path.join(root, `${number}`, 'tmp')];
    fs.mkdirSync(temporary, { recursive: true });
    if (row.user) {
      fs.mkdirSync(user);
      fill(user, row.user);
    }
    Object.assign(process.env, { DOCKER_CONFIG: user, RUNNER_TEMP: temporary });
    // What the variables held is read once in a step, and each row is a step.
    const { configure } = await import(`../../action/config.mjs?${number}`);
    const made = (await configure({ make: { id: ID, client: 'docker', content: '{}', sharing } })).Ok.made;
    const links = fs.readdirSync(made.path, { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
    assert.deepEqual(links.map(({ name }) => name).filter((name) => name !== '.user').sort(), row.linked);
    assert.equal(made.unlinked, null);
    fill(made.path, row.done);
    fill(user, row.theirs ?? []);
    const restore = isAcross ? renaming(user) : () => {};
    const { moved, left } = (await configure({ remove: { id: ID, sharing } })).Ok.removed;
    restore();
    assert.deepEqual({ moved, left }, { moved: row.moved ?? [], left: row.left ?? [] });
    assert.deepEqual(shown(user), row.after);
    assert.equal(fs.existsSync(made.path), left.length > 0);
    assert.ok(!fs.existsSync(path.join(made.path, 'config.json')));
  });
}

test('where somebody else has the usual place there is another', { skip: IS_WINDOWS }, async () => {
  const { make, remove } = await import('../../action/private.mjs');
  const me = process.geteuid();
  for (const [user, there, expected] of [
    [me, [], 'hublease'],
    [me, ['hublease'], 'hublease'],
    // It was begun when the usual one was root's.
    [me, [`hublease-${me}`], `hublease-${me}`],
    [me, ['hublease', `hublease-${me}`], `hublease-${me}`],
    [me + 1, ['hublease'], `hublease-${me + 1}`],
  ]) {
    process.env.RUNNER_TEMP = fs.mkdtempSync(path.join(root, 'runner-'));
    there.forEach((name) => fs.mkdirSync(path.join(process.env.RUNNER_TEMP, name), { mode: 0o700 }));
    const geteuid = process.geteuid;
    process.geteuid = () => user;
    try {
      // What it makes is its own, so a stranger's check of it fails; the place tells.
      const place = (() => {
        try {
          return make({ id: ID, origin: '', content: '{}', sharing }).path;
        } catch (error) {
          return error.answer.unusable.split(': ')[0];
        }
      })();
      assert.equal(place, path.join(process.env.RUNNER_TEMP, expected, ID));
    } finally {
      process.geteuid = geteuid;
    }
    if (user !== me) continue;
    // The last one takes the directory away, if nothing else is in it.
    remove({ id: ID, sharing });
    assert.ok(!fs.existsSync(path.join(process.env.RUNNER_TEMP, expected)));
  }
});

test('the other file system was met', { skip: IS_WINDOWS && 'links need a right there' }, () => {
  assert.ok(refused.size >= 5, `${refused.size}`);
});

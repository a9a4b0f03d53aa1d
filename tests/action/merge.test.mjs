/** The table of `config.json`, which the native program runs as well, and the JSON that it is written in. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { changes, checked, look, parse } from '../../action/merge.mjs';

const table = JSON.parse(readFileSync(new URL('../fixtures/docker-config.json', import.meta.url), 'utf8'));

/** The content afterwards, or what was found. */
function outcome({ effect, before }) {
  let content = {};
  try {
    content = checked(parse(JSON.stringify(before)));
  } catch (trouble) {
    // A private directory can be made out of a file that cannot be read.
    if (effect.do !== 'isolate') throw trouble;
  }
  if (effect.do === 'look') {
    const { helper, entry } = look(content, effect.client, effect.registry, effect.detected ?? undefined);
    return { helper, entry: entry && { ...entry, raw: JSON.parse(entry.raw) } };
  }
  const asked = effect.do === 'restore' ? { ...effect, entry: JSON.stringify(effect.entry) } : effect;
  const kept = JSON.stringify(content);
  const after = changes[effect.do](content, asked);
  assert.equal(JSON.stringify(content), kept, 'the content before is left as it is');
  return JSON.parse(JSON.stringify(after));
}

test('every case of the table', async (context) => {
  assert.ok(table.cases.length >= 61, 'the table is read whole');
  for (const entry of table.cases) {
    await context.test(entry.name, () => {
      if (entry.trouble) assert.throws(() => outcome(entry), (trouble) => trouble.answer === entry.trouble);
      else assert.deepEqual(outcome(entry), entry.after ?? entry.found);
    });
  }
});

test('a repeated key is malformed at every depth', () => {
  const texts = ['{"a":1,"a":1}', '{"x":[{"a":1,"\\u0061":2}]}', '{"a}":"{","a}" : 1}', '{', '{} x', '', '\ufeff{}'];
  for (const text of texts) assert.throws(() => parse(text), (trouble) => trouble.answer === 'malformed', text);
});

test('a number keeps its text, and a key its meaning', () => {
  const text = '{"a":[1.50,-0,1e400,12345678901234567890123,"x",true,null,{"a":{}}],"__proto__":{"x":1},"b":{"a":1}}';
  assert.equal(JSON.stringify(checked(parse(text))), text);
});

test('text that nests without end is malformed and ends nothing', () => {
  for (const text of ['['.repeat(500_000), '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)]) {
    assert.throws(() => checked(parse(text)), (trouble) => trouble.answer === 'malformed');
  }
});

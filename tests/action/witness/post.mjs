// Asks the sandbox what came of the job, fails the job if anything is left, and ends the sandbox.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const { STATE_control, STATE_docker, STATE_before, STATE_process } = process.env;

/** What is wrong, one sentence each. */
async function findings() {
  const ask = async (what) => {
    const answer = await fetch(`${STATE_control}/control/${what}`, { signal: AbortSignal.timeout(10_000) });
    return answer.json();
  };
  const [log, live, unexpected] = [await ask('log'), await ask('live'), await ask('unexpected')];
  const isMint = ({ method, path, status }) => method === 'POST' && path.endsWith('/access-tokens') && status === 201;
  const found = live.map(({ kind, id }) => `${kind} ${id} is still alive`);
  // Without this, a job that logged in nowhere would pass.
  if (!log.some(isMint)) found.push('nothing was minted: this job has shown nothing');
  found.push(...unexpected.map((what) => `not a host of the sandbox: ${what}`));
  const after = readFileSync(join(STATE_docker, 'config.json'), 'utf8');
  if (JSON.stringify(JSON.parse(after)) !== STATE_before) found.push("docker's configuration is not what it was before");
  return found;
}

try {
  const found = await findings();
  for (const sentence of found) console.log(`::error::${sentence}`);
  if (found.length > 0) process.exitCode = 1;
  else console.log('what was minted is dead, and docker has its own configuration back');
} catch (error) {
  console.log(`::error::the sandbox cannot be asked: ${error.message}`);
  process.exitCode = 1;
} finally {
  if (STATE_process) process.kill(Number(STATE_process));
}

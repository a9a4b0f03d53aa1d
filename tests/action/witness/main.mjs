// Starts the sandbox beside the job and hands its environment to the later steps. Only for tests: what is handed over are the
// secrets of a world that ends with the job.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

// What identifies the job stays the runner's own: it would not let a step change it.
const NOT_HANDED_ON = /^(CI|GITHUB_.*)$/;
const { GITHUB_ENV, GITHUB_STATE, INPUT_SANDBOX, RUNNER_TEMP } = process.env;

/** Appends variables to one of the runner's files. */
function append(file, variables) {
  const end = randomUUID();
  for (const [name, value] of variables) appendFileSync(file, `${name}<<${end}\n${value}\n${end}\n`);
}

// Neither the step's end nor its streams may end it; what it leaves behind goes away with the runner's directory.
const files = { TMPDIR: RUNNER_TEMP, TEMP: RUNNER_TEMP, TMP: RUNNER_TEMP };
const sandbox = spawn(resolve(INPUT_SANDBOX), ['--ci', 'github', '--mended-plugin', '--until-killed'], {
  detached: true,
  env: { ...process.env, ...files },
  stdio: ['ignore', 'pipe', 'ignore'],
  windowsHide: true,
});
sandbox.on('error', (error) => {
  console.log(`::error::the sandbox cannot be started: ${error.message}`);
  process.exitCode = 1;
});

const variables = new Map();
for await (const line of createInterface({ input: sandbox.stdout })) {
  if (line === '') break;
  const [, name, quoted] = /^export (\w+)='(.*)'$/.exec(line);
  if (!NOT_HANDED_ON.test(name)) variables.set(name, quoted.replaceAll(`'\\''`, `'`));
}

if (variables.has('HUBLEASE_SANDBOX_CONTROL')) {
  // With one entry docker does not look for a credential helper on PATH.
  const docker = join(RUNNER_TEMP, 'witness-docker');
  const before = '{"auths":{"x.invalid":{}}}';
  mkdirSync(docker, { mode: 0o700 });
  writeFileSync(join(docker, 'config.json'), before, { mode: 0o600 });
  append(GITHUB_ENV, [...variables, ['DOCKER_CONFIG', docker]]);
  const control = variables.get('HUBLEASE_SANDBOX_CONTROL');
  append(GITHUB_STATE, Object.entries({ control, docker, before, process: sandbox.pid }));
  console.log(`the sandbox runs as process ${sandbox.pid}`);
} else if (!process.exitCode) {
  console.log('::error::the sandbox ended before it said where it is');
  process.exitCode = 1;
}
sandbox.stdout.destroy();
sandbox.unref();

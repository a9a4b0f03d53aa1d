/**
 * How the container client and the credential helpers are called.
 *
 * Each login names its server, and docker must be given the exact key at logout; podman calls it `docker.io` in both.
 * Helpers are asked as in the protocol of docker-credential-helpers.
 */
import { besideLink, directoryOf, fileOf } from './config.mjs';
import { reason } from './files.mjs';
import { find, run, skipped } from './programs.mjs';
const fs = process.getBuiltinModule('node:fs');
const path = process.getBuiltinModule('node:path');

/** How long each verb may take, in milliseconds: the client gives each of several connections 15 s. */
const LIMITS = { login: 60_000, logout: 20_000, version: 10_000 };
/** How long a credential helper may take, in milliseconds. */
const HELPER = 10_000;
/** How much is kept of the client's standard error, and how large a helper's answer may be, in bytes. */
const MESSAGE = 4096;
const ANSWER = 1024 * 1024;

/** A program that did not run, in the terms of one that did; shells use the same code. */
const refused = (message) => ({ exit: { code: 126, message } });

/** The key under which a client keeps the login to a registry. @param {string} registry @param {string} client */
const keyOf = (registry, client) =>
  registry === 'docker.io' && client !== 'podman' ? 'https://index.docker.io/v1/' : registry;

function words(client, name, { registry, username }) {
  if (name === 'logout') return ['logout', keyOf(registry, client)];
  return ['login', '--username', username, '--password-stdin', registry];
}

/**
 * Runs the client once.
 * @param {{ client: 'docker' | 'podman', directory: 'user' | { private: string }, verb: any }} effect
 * @param {(limit: number) => number} left what is left of this limit
 * @param {AbortSignal} signal
 */
export async function callClient({ client, directory, verb }, left, signal) {
  const program = find(client);
  if (!program) return skipped(client) ? { skipped: skipped(client) } : 'not_found';
  if (verb === 'version') return { exit: { code: 0, message: await version(program, left, signal) } };
  const [[name, asked]] = Object.entries(verb);
  const time = left(LIMITS[name]);
  if (!time) return 'slow';
  try {
    const variables = client === 'podman' ? { REGISTRY_AUTH_FILE: fileOf(client, directory) }
      : { DOCKER_CONFIG: directoryOf(directory) };
    const streams = { stdin: asked.stdin, stderr: MESSAGE, variables, directory: besideLink(variables.DOCKER_CONFIG) };
    const ended = await run(program, words(client, name, asked), streams, time, signal);
    return ended ? { exit: { code: ended.code, message: ended.stderr.bytes.toString() } } : 'slow';
  } catch (error) {
    return refused(error.answer ? 'its configuration directory is gone' : `it cannot be run: ${reason(error)}`);
  }
}

/** What `--version` prints; nothing of a program that is a binary of that name: asking it takes as long as a request. */
async function version(program, left, signal) {
  if (isBinary(program)) return '';
  const ended = await run(program, ['--version'], { stdout: MESSAGE }, left(LIMITS.version), signal);
  return ended?.stdout.bytes.toString() ?? '';
}

/** Whether it is no script, and no link to a program of another name. */
function isBinary(program) {
  try {
    const real = fs.realpathSync(program);
    const start = Buffer.alloc(2);
    const file = fs.openSync(real);
    fs.readSync(file, start);
    fs.closeSync(file);
    return path.parse(real).name === path.parse(program).name && start.toString() !== '#!';
  } catch {
    return false;
  }
}

/** The credential helpers of this machine. @param {(limit: number) => number} left */
export function helpers(left, signal) {
  return {
    /** The helper that docker would pick by itself, only if it is there. */
    detected() {
      const usual = { darwin: 'osxkeychain', win32: 'wincred' }[process.platform];
      const name = usual ?? (find('pass') ? 'pass' : 'secretservice');
      return find(`docker-credential-${name}`) ? name : null;
    },
    /** User names by server; nothing from a helper that does not answer: docker would have no use for it either. */
    async list(name) {
      try {
        const users = JSON.parse(await ask(name, 'list', 'unused', left(HELPER), signal));
        const isText = (text) => typeof text === 'string' && text.isWellFormed();
        return !Array.isArray(users) && Object.entries(users).flat().every(isText) ? users : null;
      } catch {
        return null;
      }
    },
    /** The login to a registry, as the helper answers; empty from one that does not. */
    get: (name, registry, client) => ask(name, 'get', keyOf(registry, client), left(HELPER), signal).catch(() => ''),
  };
}

/** What a helper answers. @throws it does not */
async function ask(name, verb, stdin, left, signal) {
  const streams = { stdin, stdout: ANSWER };
  const { code, stdout } = await run(find(`docker-credential-${name}`), [verb], streams, left, signal);
  if (code !== 0 || stdout.cut) throw new Error('it does not answer');
  return stdout.bytes.toString();
}

/**
 * The Action's host: it performs what `hublease.wasm` asks for, and nothing else.
 *
 * The module holds the story and cannot open a file, a socket or a variable; `module/wit/world.wit` is the contract, and
 * the loop in `src/effect/session.rs` is the one that this mirrors. Whatever decides where a secret goes is fixed before
 * the story starts. Standard output is the runner's log, so it is written in one place, and so that nothing in a text
 * can be taken for a workflow command.
 */
import { configure, reason } from './config.mjs';
import { callClient, helpers } from './docker.mjs';
import { Network } from './network.mjs';
const [fs, crypto] = ['node:fs', 'node:crypto'].map((name) => process.getBuiltinModule(name));

/** How long `main` may go forward, and how long the way back and the whole of `post` may take, in milliseconds. */
const FORWARD = 90_000;
const UNDO = 30_000;
/** How much longer a running mint is waited for after a signal; the runner's next signal comes after 7.5 s. */
const MINT = 6_000;
/** How long reading the identity token file may take, in milliseconds, and how large it may be, in bytes. */
const IDENTITY_TIME = 10_000;
const IDENTITY_SIZE = 16 * 1024;
/** The largest file of certificates and the longest text of a panic, in bytes. */
const CERTIFICATES = 1024 * 1024;
const PANIC = 1024;
const BUG = 70;

/** The variables that the story may know, besides ours (`HUBLEASE_…`) and those that inputs name. */
const VARIABLES = `ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN GITHUB_ACTIONS GITHUB_RUN_ID
  GITHUB_RUN_ATTEMPT GITHUB_JOB RUNNER_TEMP DOCKER_AUTH_CONFIG VAULT_ADDR VAULT_NAMESPACE VAULT_CACERT
  DOCKERHUB_OIDC_CONNECTIONID DOCKERHUB_OIDC_EXPIREIN`.split(/\s+/);
const NAMING = ['secret-env', 'username-env', 'identity-token-env'];

/** One line that moves no cursor, and that the runner takes for no command. @param {string} text */
const plain = (text) => text
  .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu, (hidden) => `\\u{${hidden.codePointAt(0).toString(16)}}`)
  .replace(/:(?=:)/g, ': ').replaceAll('##[', '## [');
/** The data of a workflow command. */
const data = (text) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const markdown = (text) => plain(text).replace(/[!-/:-@[-`{-~]/g, '\\$&');

/** Names and values for one of the runner's files; nobody can guess the delimiter. @param {Record<string, string>} pairs */
function heredoc(pairs) {
  const end = `hublease_${crypto.randomBytes(16).toString('hex')}`;
  return Object.entries(pairs).map(([name, value]) => `${name}<<${end}\n${value}\n${end}\n`).join('');
}

/** The module, with nothing but refusals for its imports: what is left of it is two functions, text to text. */
class Module {
  #exports;
  /** What a panic says: a place in the source. */
  panic = '';

  constructor() {
    const module = new WebAssembly.Module(fs.readFileSync(new URL('hublease.wasm', import.meta.url)));
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      // 52 is ENOSYS. What does not return (`proc_exit`) traps when it does.
      (imports[from] ??= {})[name] = name === 'fd_write' ? (...words) => this.#write(...words) : () => 52;
    }
    this.#exports = new WebAssembly.Instance(module, imports).exports;
    this.#exports._initialize?.();
  }

  /** @param {'begin' | 'advance'} name @param {string[]} texts */
  call(name, ...texts) {
    const { memory, cabi_realloc: allocate, ...functions } = this.#exports;
    const symbol = `hublease:action/session@0.1.0#${name}`;
    const words = texts.map((text) => Buffer.from(text)).flatMap((bytes) => {
      const pointer = allocate(0, 0, 1, bytes.length);
      // Each call may move the memory, so no view outlives one.
      new Uint8Array(memory.buffer).set(bytes, pointer);
      return [pointer, bytes.length];
    });
    const answer = functions[symbol](...words);
    const [pointer, length] = new Uint32Array(memory.buffer, answer, 2);
    const text = Buffer.from(memory.buffer, pointer, length).toString();
    functions[`cabi_post_${symbol}`](answer);
    return JSON.parse(text);
  }

  /** preview1's `fd_write`, for standard error alone. */
  #write(descriptor, vectors, count, written) {
    if (descriptor !== 2) return 8;
    const { buffer } = this.#exports.memory;
    const pieces = new Uint32Array(buffer, vectors, 2 * count);
    let length = 0;
    for (let at = 0; at < pieces.length; at += 2) {
      this.panic = (this.panic + Buffer.from(buffer, pieces[at], pieces[at + 1])).slice(0, PANIC);
      length += pieces[at + 1];
    }
    new Uint32Array(buffer, written, 1)[0] = length;
    return 0;
  }
}

class Host {
  #inputs = {};
  #inline;
  #setup;
  #network;
  #started = performance.now();
  /** Why nothing goes forward any more: a deadline, or an output that cannot be written; and since when. */
  #stop;
  #stopped;
  #signal;
  /** What is in flight. */
  #running = { isMint: false, abort: new AbortController() };
  #summary = [];

  /** @param {'login' | 'logout'} stage */
  constructor(stage) {
    this.stage = stage;
    this.isPost = stage === 'logout';
    process.on('SIGINT', () => this.#interrupt(2));
    process.on('SIGTERM', () => this.#interrupt(15));
    for (const [name, value] of Object.entries(process.env)) {
      if (name.startsWith('INPUT_') && value.trim()) this.#inputs[name.slice(6).toLowerCase()] = value.trim();
    }
    if (this.#inputs['ca-cert']?.includes('-----BEGIN CERTIFICATE-----')) {
      this.#inline = this.#inputs['ca-cert'];
      this.#inputs['ca-cert'] = 'inline';
    }
  }

  /** Runs the story. @returns {Promise<number>} the exit code */
  async run() {
    if (this.isPost && !process.env.STATE_record && !process.env.STATE_name) return this.#end(0, 'nothing to undo here');
    let module;
    try {
      module = new Module();
      let step = module.call('begin', this.stage, JSON.stringify({ inputs: this.#inputs, environment: this.#environment() }));
      if (step.setup) {
        this.#setup = step.setup;
        const failure = this.#fix();
        if (failure) return this.#finish({ code: 2, error: failure });
      }
      while (!step.over) {
        const outcome = await this.#answer(step.ask);
        if (!outcome) return this.#finish({ code: 128 + this.#signal, error: 'interrupted; the post step undoes what was done' });
        step = module.call('advance', JSON.stringify(outcome));
      }
      return this.#finish(step.over);
    } catch (error) {
      // No message of JavaScript's own: it may quote what could not be parsed.
      const place = module?.panic || /\w+\.mjs:\d+/.exec(error.stack)?.[0] || error.name;
      return this.#finish({ code: BUG, error: `hublease came to a state that it excludes: ${place}` });
    }
  }
}

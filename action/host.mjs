/**
 * The Action's host: it performs what `hublease.wasm` asks for, and nothing else.
 *
 * The module holds the story; `module/wit/world.wit` is the contract, and the loop over it mirrors the one in
 * `src/effect/session.rs`. Whatever decides where a secret goes is fixed before the story starts. A signal ends `main`
 * as soon as everything that exists is on record: the runner gives it ten seconds, and `post` has the time to undo.
 */
import { configure } from './config.mjs';
import { callClient, helpers } from './docker.mjs';
import { reason } from './files.mjs';
import { Module } from './module.mjs';
import { Network } from './network.mjs';
import { Runner, random } from './runner.mjs';
import { CERTIFICATES, WAY_BACK, isRecorded, isStrict, left } from './state.mjs';
const fs = process.getBuiltinModule('node:fs');

/** How long `main` may go forward, and how long the way back, or the whole of `post`, may take, in milliseconds. */
const FORWARD = 90_000;
const UNDO = 30_000;
/** How much longer a running mint is waited for after a signal; the runner's next one comes after 7.5 s. */
const MINT = 6_000;
/** How long reading the identity token file may take, in milliseconds, and its largest size, in bytes. */
const IDENTITY_TIME = 10_000;
const IDENTITY_SIZE = 16 * 1024;
/** The largest file of certificates, in bytes: the bundle of a whole operating system has 250 KiB. */
const LARGEST_CERTIFICATES = 1024 * 1024;
/** The most random bytes that are given at once. */
const RANDOM = 64;
const USAGE = 2;
const BUG = 70;

/** The variables that the story may know, besides ours (`HUBLEASE_…`) and those that inputs name. */
const VARIABLES = `ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN GITHUB_ACTIONS GITHUB_RUN_ID
  GITHUB_RUN_ATTEMPT GITHUB_JOB RUNNER_TEMP DOCKER_AUTH_CONFIG VAULT_ADDR VAULT_NAMESPACE VAULT_CACERT
  DOCKERHUB_OIDC_CONNECTIONID DOCKERHUB_OIDC_EXPIREIN`.split(/\s+/);
const NAMING = ['secret-env', 'username-env', 'identity-token-env'];

/** An input; an empty one is unset, so that a variable of ours can be its value. */
function readInputs() {
  const given = Object.entries(process.env).filter(([name, value]) => name.startsWith('INPUT_') && value.trim());
  return Object.fromEntries(given.map(([name, value]) => [name.slice('INPUT_'.length).toLowerCase(), value.trim()]));
}

/** Exact names only, never the whole environment. @param {Record<string, string>} inputs */
function readEnvironment(inputs) {
  const ours = Object.keys(process.env).filter((name) => name.startsWith('HUBLEASE_'));
  const twin = (input) => process.env[`HUBLEASE_${input.toUpperCase().replaceAll('-', '_')}`];
  const named = NAMING.map((input) => inputs[input] ?? twin(input));
  const names = [...VARIABLES, ...ours, ...named].filter((name) => name && Object.hasOwn(process.env, name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/** @param {string} text @returns {string[]} @throws with a sentence: there is none in it, or one that cannot be read */
function certificates(text) {
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (!found.length) throw new Error('it holds no certificate');
  found.forEach((pem, number) => {
    try {
      new X509Certificate(pem);
    } catch {
      throw new Error(`certificate ${number + 1} in it cannot be read`);
    }
  });
  return found;
}

function readFile(file, limit) {
  const stat = fs.statSync(file);
  if (!stat.isFile()) throw new Error('it is not a file');
  if (stat.size > limit) throw new Error(`it is larger than ${limit} bytes`);
  return fs.readFileSync(file, 'utf8');
}

/** An input that cannot be used; the message is for people. */
class Unfit extends Error {}

class Host {
  #stage;
  /** The text of certificates that are no path. */
  #authority;
  #identity;
  #network;
  #runner;
  #started = performance.now();
  /** Why nothing goes forward any more, and since when. */
  #stop;
  #signal;
  /** What is in flight: whether it is a mint, and how it is given up. */
  #running;

  /** @param {'login' | 'logout'} stage */
  constructor(stage) {
    this.#stage = stage;
    this.#runner = new Runner(this.#isPost);
    process.on('SIGINT', () => this.#interrupt(2));
    process.on('SIGTERM', () => this.#interrupt(15));
  }

  get #isPost() {
    return this.#stage === 'logout';
  }

  /** @returns {Promise<number>} the exit code */
  async run() {
    if (this.#isPost && !isRecorded()) {
      this.#runner.say({ level: 'note', text: 'nothing to undo here' });
      return this.#end(0);
    }
    let module;
    try {
      module = new Module();
      let step = module.call('begin', this.#stage, this.#isPost ? this.#wayBack() : this.#given());
      if (step.setup) this.#fix(step.setup);
      while (step.ask) {
        const outcome = await this.#answer(step.ask);
        if (!outcome) return this.#end(128 + this.#signal, 'interrupted; what was done is undone in the post step');
        step = module.call('advance', JSON.stringify(outcome));
      }
      return this.#end(step.over.code, step.over.error);
    } catch (error) {
      if (error instanceof Unfit) return this.#end(USAGE, error.message);
      // Never a message of the engine's: it may quote the text that could not be read.
      const place = module?.panic || /\w+\.mjs:\d+/.exec(error.stack)?.[0] || error.name;
      return this.#end(BUG, `hublease came to a state that it excludes: ${place}`);
    }
  }

  /** What a login begins with. */
  #given() {
    const inputs = readInputs();
    const environment = readEnvironment(inputs);
    // A certificate is no path, and of no use to the story.
    if (inputs['ca-cert']?.includes('-----BEGIN CERTIFICATE-----')) {
      this.#authority = inputs['ca-cert'];
      inputs['ca-cert'] = 'inline';
    }
    return JSON.stringify({ inputs, environment });
  }

  /** What a logout begins with: all of it was fixed by the login. */
  #wayBack() {
    this.#authority = left(CERTIFICATES);
    return left(WAY_BACK);
  }

  /** Fixes what the story cannot change any more. */
  #fix({ destinations, ca_cert: authority, identity_file: file, way_back: wayBack }) {
    const extra = authority && this.#trusted(authority);
    this.#identity = file;
    this.#network = new Network(destinations, extra);
    this.#runner.keep(wayBack, extra?.certificates ?? []);
  }

  #trusted({ path, provider_only: isProviderOnly }) {
    try {
      return { certificates: certificates(this.#authority || readFile(path, LARGEST_CERTIFICATES)), isProviderOnly };
    } catch (error) {
      const text = `the certificates of \`ca-cert\` cannot be used\n  because: ${reason(error)}`;
      if (!this.#isPost) throw new Unfit(text);
      // Docker can be logged out without them, and perhaps the system vouches for the provider.
      this.#runner.say({ level: 'warning', text });
      return undefined;
    }
  }

  /** The outcome of an effect; undefined once a signal has ended the step. */
  async #answer(ask) {
    const isOver = () => this.#signal && (ask.forward || ask.undo);
    if (isOver()) return undefined;
    const stop = this.#stopped();
    if (stop && ask.forward) return { stopped: stop };
    this.#running = { isMint: ask.mint, abort: new AbortController() };
    const outcome = await this.#perform(ask, this.#running.abort.signal);
    this.#running = undefined;
    // What a mint has brought is recorded first.
    return isOver() && !ask.mint ? undefined : outcome;
  }

  async #perform({ effect, undo, forward }, signal) {
    const [name, asked] = typeof effect === 'string' ? [effect] : Object.entries(effect)[0];
    const left = (limit) => Math.max(0, Math.min(limit, this.#until(undo) - performance.now()));
    switch (name) {
      case 'http': return { http: await this.#network.send(asked, left(Infinity), signal) };
      case 'docker': return { docker: await callClient(asked, left, signal) };
      case 'config': return { config: await configure(asked, helpers(left, signal)) };
      case 'record': return { record: this.#runner.record(asked) };
      case 'identity_file': return { token: await this.#token(left(IDENTITY_TIME), signal) };
      case 'random': return { text: random(Math.min(asked.bytes, RANDOM)) };
      case 'now': return { now: Math.floor(Date.now() / 1000) };
      case 'mask': this.#runner.mask(asked); return 'done';
      case 'say': this.#runner.say(asked); return 'done';
      case 'sleep': await sleep(left(asked.milliseconds), signal); return 'done';
      case 'output':
        this.#runner.output(asked);
        return this.#stopped() === 'output' && forward ? { stopped: 'output' } : 'done';
      default: throw new Error('an effect that is not for this host');
    }
  }

  /** Until when an effect may take. */
  #until(undo) {
    const forward = this.#started + (this.#isPost ? 0 : FORWARD);
    return undo ? (this.#stop?.since ?? forward) + UNDO : forward;
  }

  /** Why nothing goes forward any more; the first reason stays. */
  #stopped() {
    const reason = this.#runner.isLost ? 'output' : performance.now() >= this.#until(false) && 'deadline';
    if (reason) this.#stop ??= { reason, since: performance.now() };
    return this.#stop?.reason;
  }

  /** GitHub's signals on cancel. They are for `main`; `post` is what they make room for. */
  #interrupt(number) {
    if (this.#isPost || this.#signal) return;
    this.#signal = number;
    const running = this.#running;
    if (running?.isMint) setTimeout(() => running.abort.abort(), MINT);
    else running?.abort.abort();
  }

  /** The file may be a pipe, so it is read until its end or until the time is over. */
  async #token(left, signal) {
    try {
      const token = await Promise.race([readIdentity(this.#identity), sleep(left, signal)]);
      return token ? { Ok: token } : { Err: 'it took too long' };
    } catch (error) {
      return { Err: reason(error) };
    }
  }

  /** A failure after the job's own work does not fail the job, unless that was asked for. */
  #end(code, error) {
    const isMild = this.#isPost && !isStrict();
    if (error) this.#runner.say({ level: isMild ? 'warning' : 'error', text: error });
    this.#runner.close();
    return isMild ? 0 : code;
  }
}

async function readIdentity(file) {
  const chunks = [];
  for await (const chunk of fs.createReadStream(file, { end: IDENTITY_SIZE })) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length > IDENTITY_SIZE) throw new Error(`it is larger than ${IDENTITY_SIZE} bytes`);
  const token = bytes.toString().trim();
  if (!token) throw new Error('it is empty');
  return token;
}

const sleep = (milliseconds, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener('abort', () => (clearTimeout(timer), resolve()));
});

/** Runs one stage and ends the process. @param {'login' | 'logout'} stage */
export async function run(stage) {
  process.exit(await new Host(stage).run());
}

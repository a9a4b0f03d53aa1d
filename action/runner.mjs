/**
 * How the runner is told: its log on standard output, and the files for outputs, variables, state and summary.
 *
 * Nothing that is printed can be taken for a workflow command unless it is one of ours. Names and values go in the
 * heredoc form, with a delimiter that nobody can guess.
 */
import { VARIABLES } from './config.mjs';
import { reason } from './files.mjs';
import { BODY, CERTIFICATES, LONGEST, NAME, WAY_BACK, left } from './state.mjs';
const fs = process.getBuiltinModule('node:fs');

/** What is invisible, moves the cursor or changes the reading direction; made when it is first needed, for it is slow. */
const hidden = () => /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu;

/** Text that the runner takes for no command, on one line. @param {string} text */
function plain(text) {
  const escaped = (character) => `\\u{${character.codePointAt(0).toString(16)}}`;
  const shown = /[^ -~]/.test(text) ? text.replace(hidden(), escaped) : text;
  // An IPv6 address in brackets begins no command: a bracket stands before its colons.
  return shown.replace(/\[[\da-f:.]*:[\da-f:.]*\]|:(?=:)/gi, (part) => (part === ':' ? ': ' : part)).replaceAll('##[', '## [');
}

const lines = (text) => text.trimEnd().split('\n').map(plain);
const data = (text) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const markdown = (text) => lines(text).join(' ').replace(/[!-/:-@[-`{-~]/g, '\\$&');

/** @param {number} bytes @returns {string} lower-case hexadecimal */
export const random = (bytes) => process.getBuiltinModule('node:crypto').randomBytes(bytes).toString('hex');

/** @param {Record<string, string>} pairs */
function heredoc(pairs) {
  const end = `hublease_${random(16)}`;
  return Object.entries(pairs).map(([name, value]) => `${name}<<${end}\n${value}\n${end}\n`).join('');
}

/** One append to a file that the runner has made; we make none, because everybody could read it. */
function append(variable, text) {
  const file = process.env[variable];
  if (!file) throw new Error(`${variable} is not set`);
  fs.appendFileSync(file, text, { flag: fs.constants.O_WRONLY | fs.constants.O_APPEND });
}

/** The runner, as one step sees it. */
export class Runner {
  /** Whether an output was lost. */
  isLost = false;
  #isPost;
  #ending = [];
  #wayBack = {};

  /** @param {boolean} isPost */
  constructor(isPost) {
    this.#isPost = isPost;
  }

  /** @param {string} line */
  #print(line) {
    try {
      fs.writeFileSync(1, `${line}\n`);
    } catch {
      this.isLost = true;
    }
  }

  /** @param {'error' | 'warning' | 'debug'} name @param {string} text */
  #command(name, text) {
    this.#print(`::${name}::${data(lines(text).join('\n'))}`);
  }

  /** The whole of a value and each of its lines: one line is what a later log would show. @param {string} value */
  mask(value) {
    const parts = value.split(/[\r\n]+/).filter((line) => line.trim());
    for (const part of new Set([value, ...parts])) if (part.trim()) this.#print(`::add-mask::${data(part)}`);
  }

  /** @param {{ level: 'detail' | 'note' | 'warning' | 'error', text: string }} line */
  say({ level, text }) {
    if (level === 'note') lines(text).forEach((line) => this.#print(line));
    else this.#command(level === 'detail' ? 'debug' : level, text);
    if (level !== 'detail') this.#ending.push(text);
  }

  /** What the step was run for. @param {Record<string, any>} output one key, its kind */
  output(output) {
    const [[kind, value]] = Object.entries(output);
    try {
      if (kind === 'variable') append('GITHUB_ENV', heredoc({ [VARIABLES[value.client]]: value.value }));
      else if (kind === 'credential') append('GITHUB_OUTPUT', heredoc({ token: value }));
      else lines(value.text ?? value).forEach((line) => this.#print(line));
      if (kind === 'logged_in') this.#loggedIn(value);
    } catch {
      this.isLost = true;
    }
  }

  #loggedIn({ text, username, registries, expires_at: end, revocable, docker_config: directory }) {
    append('GITHUB_OUTPUT', heredoc({
      username,
      registry: registries.join(' '),
      'expires-at': end ?? '',
      revocable: String(revocable),
      'docker-config': directory ?? '',
    }));
    this.#summarize([text]);
  }

  /**
   * What the state shall hold beside the record. A longer bundle of certificates is read from its file again.
   * @param {string | undefined} wayBack @param {string[]} certificates
   */
  keep(wayBack, certificates) {
    const text = certificates.join('\n');
    this.#wayBack = { [WAY_BACK]: wayBack, [CERTIFICATES]: text.length > LONGEST ? '' : text };
  }

  /**
   * The record lives in the step's state: `main` only writes it, and `post` only reads it.
   * @param {'prepare' | { read: object } | { write: { name: string, body: string } } | { erase: { name: string } }} access
   */
  record(access) {
    try {
      if (access.read) return { Ok: this.#isPost ? stored() : [] };
      if (this.#isPost) return { Ok: [] };
      if (access === 'prepare') append('GITHUB_STATE', heredoc(this.#wayBack));
      const { name = '', body = '' } = access.write ?? {};
      // With debug logging the runner shows the state; the earlier login in it is nobody's business.
      this.mask(body);
      if (access !== 'prepare') append('GITHUB_STATE', heredoc({ [NAME]: name, [BODY]: body }));
      return { Ok: [] };
    } catch (error) {
      return { Err: `GITHUB_STATE: ${reason(error)}` };
    }
  }

  /** Tells the summary how a post step ended. */
  close() {
    if (this.#isPost) this.#summarize(this.#ending);
  }

  #summarize(texts) {
    try {
      append('GITHUB_STEP_SUMMARY', texts.map((text) => `hublease: ${markdown(text)}\n\n`).join(''));
    } catch {
      // The log says the same.
    }
  }
}

/** What the state holds. A body alone, or half of one, is handed on: the story says what is wrong with it. */
function stored() {
  const [name, body] = [left(NAME), left(BODY)];
  return name || body ? [{ name, body: { Ok: body } }] : [];
}

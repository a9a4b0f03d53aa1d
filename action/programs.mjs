/**
 * Which programs are run, with what environment, and for how long.
 *
 * A name is resolved once, to an absolute path. Empty and relative entries of PATH are skipped, and everything inside
 * the workspace: what was checked out must not decide who receives a credential. The environment is an allow-list; it
 * never carries the job's identity or a Vault token.
 */
const fs = process.getBuiltinModule('node:fs');
const os = process.getBuiltinModule('node:os');
const path = process.getBuiltinModule('node:path');

const IS_WINDOWS = process.platform === 'win32';
/** How long the output of a program that has ended is waited for, in milliseconds: a daemon may hold the pipe on. */
const AFTERMATH = 1_000;

/**
 * The variables that helper programs need. `DOCKER_AUTH_CONFIG` is left out: it holds credentials, and docker would
 * warn about it; so are the many `DOCKER_…` names under which projects keep passwords.
 */
const NAMES = new Set(`ALL_PROXY DBUS_SESSION_BUS_ADDRESS DISPLAY DOCKER_API_VERSION DOCKER_CERT_PATH DOCKER_CONFIG
  DOCKER_CONTENT_TRUST DOCKER_CONTENT_TRUST_SERVER DOCKER_CONTEXT DOCKER_DEFAULT_PLATFORM DOCKER_HOST DOCKER_TLS
  DOCKER_TLS_VERIFY GNUPGHOME HOME HTTPS_PROXY HTTP_PROXY LANG LOGNAME NO_PROXY PASSWORD_STORE_DIR PATH
  REGISTRY_AUTH_FILE SSH_AUTH_SOCK SSL_CERT_DIR SSL_CERT_FILE TMPDIR USER all_proxy http_proxy https_proxy no_proxy
  ${IS_WINDOWS ? `SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT TEMP TMP USERNAME USERPROFILE HOMEDRIVE HOMEPATH APPDATA
  LOCALAPPDATA PROGRAMDATA PROGRAMFILES` : ''}`.split(/\s+/));
const PREFIXES = /^(CONTAINERS_|LC_|XDG_)/;

/** Windows does not tell the case of names apart. */
const isAllowed = (name) => NAMES.has(IS_WINDOWS ? name.toUpperCase() : name) || PREFIXES.test(name);

/** Whether a place, or what a link there leads to, lies in the workspace. What cannot be resolved counts as inside. */
function isInside(place) {
  const isBelow = (workspace, real) => {
    const way = path.relative(workspace, real);
    return way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
  };
  try {
    const reals = [place, path.dirname(place)].map((name) => fs.realpathSync(name));
    return workspaces().some((workspace) => reals.some((real) => isBelow(workspace, real)));
  } catch {
    return true;
  }
}

let known;
/** The checkout and where the step is; a root directory would leave no program to run. */
function workspaces() {
  known ??= [process.env.GITHUB_WORKSPACE, process.cwd()].filter(Boolean).flatMap((place) =>
    fs.existsSync(place) ? [fs.realpathSync(place)] : []).filter((place) => place !== path.dirname(place));
  return known;
}

/** The absolute entries of PATH, and of those the ones that count. */
const all = () => (process.env.PATH ?? '').split(path.delimiter).filter((entry) => path.isAbsolute(entry));
const entries = () => all().filter((entry) => !isInside(entry));

const found = new Map();

/** The absolute path of a program that may be run. @param {string} name @returns {string | undefined} */
export function find(name) {
  if (!found.has(name)) found.set(name, search(name));
  return found.get(name);
}

/** The program that would have been found if it did not lie in the workspace. @param {string} name */
export const skipped = (name) => candidates(name, all()).find(isInside);

const search = (name) => candidates(name, entries()).find((file) => !isInside(file));

/** Every program of this name in these directories. @param {string} name @param {string[]} directories */
function candidates(name, directories) {
  if (!name || /[/\\\0]/.test(name)) return [];
  // On Windows nothing but `.exe`: a script would need a shell.
  const files = directories.map((entry) => path.join(entry, IS_WINDOWS ? `${name}.exe` : name));
  return files.filter((file) => {
    try {
      const stat = fs.statSync(file);
      return stat.isFile() && (IS_WINDOWS || stat.mode & 0o111);
    } catch {
      // Not there, or nothing that this user may look at.
      return false;
    }
  });
}

/** The allowed variables, with these changes. What a program looks up by itself it finds where we would find it. */
function environment(changes) {
  const kept = Object.entries(process.env).filter(([name, value]) => value && isAllowed(name));
  const shown = (name, value) => (name.toUpperCase() === 'PATH' ? entries().join(path.delimiter) : value);
  return { ...Object.fromEntries(kept.map(([name, value]) => [name, shown(name, value)])), ...changes };
}

/**
 * Runs a program to its end, without a shell, in the root directory or in another, as a process group of its own.
 * @param {string} file
 * @param {string[]} words never a secret
 * @param {{ stdin?: string, stdout?: number, stderr?: number, variables?: Record<string, string>, directory?: string }} streams how many
 *   bytes of the outputs are kept; the secret on `stdin` gets no newline
 * @param {number} left milliseconds
 * @param {AbortSignal} signal kills it
 * @returns {Promise<{ code: number, stdout: Kept, stderr: Kept } | undefined>} undefined if it was killed
 * @typedef {{ bytes: Buffer, cut: boolean }} Kept
 */
export function run(file, words, { stdin = '', stdout = 0, stderr = 0, variables = {}, directory }, left, signal) {
  return new Promise((resolve, reject) => {
    const pipe = (used) => (used ? 'pipe' : 'ignore');
    const child = process.getBuiltinModule('node:child_process').spawn(file, words, {
      cwd: directory ?? path.parse(file).root,
      env: environment(variables),
      stdio: [pipe(stdin), pipe(stdout), pipe(stderr)],
      detached: !IS_WINDOWS,
      windowsHide: true,
    });
    const kept = { stdout: keep(child.stdout, stdout), stderr: keep(child.stderr, stderr) };
    const timer = setTimeout(() => kill(child, resolve), left);
    signal.addEventListener('abort', () => kill(child, resolve));
    const end = (code, name) => {
      clearTimeout(timer);
      resolve({ code: code ?? 128 + os.constants.signals[name], ...kept });
    };
    child.on('error', reject);
    child.on('exit', (code, name) => setTimeout(end, AFTERMATH, code, name));
    child.on('close', end);
    // A program that ends without reading everything is its own matter.
    child.stdin?.on('error', () => {}).end(stdin);
  });
}

function kill(child, resolve) {
  const isRunning = child.pid && child.exitCode === null && child.signalCode === null;
  if (isRunning && IS_WINDOWS) child.kill();
  else if (isRunning) process.kill(-child.pid, 'SIGKILL');
  resolve(undefined);
}

/** Keeps the beginning of an output and drains the rest. */
function keep(stream, limit) {
  const kept = { bytes: Buffer.alloc(0), cut: false };
  stream?.on('data', (chunk) => {
    const taken = chunk.subarray(0, limit - kept.bytes.length);
    kept.cut ||= taken.length < chunk.length;
    kept.bytes = Buffer.concat([kept.bytes, taken]);
  });
  return kept;
}

/**
 * Docker's configuration directories and podman's file: the user's own. Private ones are in `private.mjs`.
 *
 * As docker does: `DOCKER_CONFIG`, else `.docker` at home; a `config.json` that is a link is followed; a new file has
 * mode 0600 and an existing one keeps its own; it is replaced by a rename. On Windows modes do not count. What is in
 * `config.json` is the module's business: its text is handed on as it is.
 */
import { CONFIG, IS_WINDOWS, Trouble, canonical, orElse, reason, unusable, variable } from './files.mjs';
import { hold, holds, make, owned, release, remove, standsFor } from './private.mjs';
import { BODY, left } from './state.mjs';
const fs = process.getBuiltinModule('node:fs');
const path = process.getBuiltinModule('node:path');
/** The largest file that is handed to the module, in bytes; docker's own have a few KiB. */
const MAXIMUM_FILE = 1024 * 1024;

/** Docker's directory at home. */
function atHome() {
  const home = variable(IS_WINDOWS ? 'USERPROFILE' : 'HOME');
  if (!home) throw new Trouble({ unusable: 'neither DOCKER_CONFIG nor a home directory is set' });
  return canonical(path.join(path.resolve(home), '.docker'));
}

/** The directory that docker itself would use. */
const named = () => (variable('DOCKER_CONFIG') ? canonical(path.resolve(variable('DOCKER_CONFIG'))) : atHome());

/** The variable by which a client is told of its logins: docker of a directory, podman of a file. */
export const VARIABLES = { docker: 'DOCKER_CONFIG', none: 'DOCKER_CONFIG', podman: 'REGISTRY_AUTH_FILE' };

/** What that variable held when this step began, read once, because a private directory may be removed meanwhile. */
const begun = new Map();

/** @returns {{ id?: string, place?: string }} the user's own place; the private directory by way of which it was found */
function told(client) {
  const name = VARIABLES[client];
  if (!begun.has(name)) {
    const value = variable(name) && path.resolve(variable(name));
    const stands = value && standsFor(canonical(client === 'podman' ? path.dirname(value) : value));
    begun.set(name, stands ? { id: stands.id, place: stands.origin } : { place: value });
  }
  return begun.get(name);
}

/** The user's own, also if DOCKER_CONFIG is a private one. */
function userDirectory() {
  const { id, place } = told('docker');
  return place ? canonical(place) : id ? atHome() : named();
}

/** What the variable of a client has to be for the user's own; empty where it is found without. */
const userVariable = (client) => (client === 'podman' ? told(client).place : orElse('', userDirectory)) ?? '';

/** @param {'user' | { private: string } | { recorded: string }} directory */
export function directoryOf(directory) {
  if (directory === 'user') return userDirectory();
  return directory.recorded ? path.dirname(recorded(directory.recorded)) : owned(directory.private, true);
}

/** A file in which the record of this very step says that a login is: nothing else leads there. */
function recorded(file) {
  const isKnown = left(BODY).includes(JSON.stringify(file)) || begunIn.has(file);
  if (!isKnown || !path.isAbsolute(file)) throw new Trouble({ unusable: 'the record names no such file' });
  return file;
}

/** The user's own files that this step has looked at. */
const begunIn = new Set();

/**
 * Docker's directory, if the file in it is a link to a relative place: docker before 27.2 follows such a link from where it
 * runs (docker/cli issue 5281), so it has to run there.
 */
export const besideLink = (directory) => orElse(undefined, () =>
  path.isAbsolute(fs.readlinkSync(path.join(directory, 'config.json'))) ? undefined : directory);

/** The file with the logins, where the client itself looks for it. */
export function fileOf(client, directory) {
  if (directory.recorded) return recorded(directory.recorded);
  if (client !== 'podman' || directory !== 'user') return path.join(directoryOf(directory), CONFIG);
  const docker = told('docker').place;
  const named = told('podman').place ?? (docker && path.join(docker, CONFIG));
  if (named) return named;
  const runtime = variable('XDG_RUNTIME_DIR');
  // podman refuses, too.
  if (runtime && !fs.existsSync(runtime)) throw new Trouble({ unusable: 'XDG_RUNTIME_DIR names a directory that is not there' });
  return path.join(runtime ? path.resolve(runtime) : ofTheSession(), 'containers', 'auth.json');
}

/** Where podman keeps what no variable says: root's in `/run`, anybody else's in the session's directory, or in its own. */
function ofTheSession() {
  const user = process.geteuid?.() ?? 0;
  if (user === 0) return '/run';
  const session = `/run/user/${user}`;
  const stat = orElse(undefined, () => fs.statSync(session));
  const isOurs = stat?.uid === user && (stat.mode & 0o700) === 0o700;
  return isOurs ? session : path.join(path.resolve(variable('TMPDIR') ?? '/tmp'), `podman-run-${user}`);
}

/** An absent file is empty; what is not UTF-8 is malformed. @returns {{ content: string, mode?: number }} */
function read(file) {
  let bytes, mode;
  try {
    const stat = fs.statSync(file);
    if (!stat.isFile()) throw new Error('it is not a file');
    if (stat.size > MAXIMUM_FILE) throw new Error('it is larger than 1 MiB');
    mode = stat.mode & 0o777;
    bytes = fs.readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT') return { content: '' };
    throw unusable(file, error);
  }
  try {
    return { content: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), mode };
  } catch {
    throw new Trouble('malformed');
  }
}

/** Where a link leads, so that the link itself stays; also if nothing is there yet. */
const target = (file) =>
  orElse(file, () => orElse(undefined, () => fs.realpathSync(file)) ?? path.resolve(file, '..', fs.readlinkSync(file)));

/** Replaces the file, whole or not at all, if it still holds what was read. */
function write(file, { over, content }) {
  const { content: now, mode } = read(file);
  if (now !== over) throw new Trouble('changed');
  const place = target(file);
  const temporary = path.join(place, '..', `${CONFIG}${process.hrtime.bigint()}`);
  try {
    fs.mkdirSync(path.dirname(place), { recursive: true, mode: 0o700 });
    fs.writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
    if (mode) fs.chmodSync(temporary, mode);
    fs.renameSync(temporary, place);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw unusable(file, error);
  }
  return 'done';
}

/** Why the file could not be replaced, or null. Nothing is written for it; a missing directory can perhaps be made. */
function unwritable(file) {
  // Docker writes beside the link first, and we beside what it leads to.
  for (const place of [file, target(file)]) {
    let nearest = path.dirname(place);
    while (!fs.existsSync(nearest) && nearest !== path.dirname(nearest)) nearest = path.dirname(nearest);
    try {
      fs.accessSync(nearest, fs.constants.W_OK | fs.constants.X_OK);
    } catch (error) {
      return `${nearest}: ${reason(error)}`;
    }
  }
  return null;
}

/** Where the directory is. */
function locate(at, client) {
  const directory = canonical(path.dirname(at));
  const file = path.join(directory, path.basename(at));
  begunIn.add(file);
  return { directory, file, unwritable: unwritable(at), taken_over: told(client).id ?? null, variable: userVariable(client) };
}

/** What is in the file, and whether others may read it. */
function show(file) {
  const { content, mode } = read(file);
  return { content, exposed: !IS_WINDOWS && Boolean(mode & 0o077), exists: mode !== undefined };
}

/**
 * The texts of podman's `registries.conf` and its drop-ins, in its order. The file that a variable names or the user's own is
 * read instead of the system's, and with the user's own the system's drop-ins are not.
 */
function registries() {
  const system = '/etc/containers';
  const user = variable('HOME') && path.resolve(variable('HOME'), '.config/containers');
  const conf = (folder) => path.join(folder, 'registries.conf');
  const named = variable('CONTAINERS_REGISTRIES_CONF');
  const isOwn = !named && user && fs.existsSync(conf(user));
  const folders = isOwn ? [user] : user ? [system, user] : [system];
  const dropIns = folders.map((folder) => `${conf(folder)}.d`).flatMap((folder) =>
    (fs.existsSync(folder) ? fs.readdirSync(folder) : []).filter((name) => name.endsWith('.conf')).sort()
      .map((name) => path.join(folder, name)));
  const files = [named ? path.resolve(named) : conf(isOwn ? user : system), ...dropIns];
  return files.filter((file) => fs.existsSync(file)).map((file) => fs.readFileSync(file, 'utf8'));
}

/**
 * Performs one `config` effect.
 * @param {Record<string, any> | 'detect' | 'registries'} effect its name, as the key of what is asked if there is more to say
 * @param {{ detected(): string | null, list(name: string): Promise<Record<string, string> | null>,
 *   get(name: string, registry: string, client: string): Promise<string> }} helpers
 */
export async function configure(effect, helpers) {
  const [name, asked] = typeof effect === 'string' ? [effect] : Object.entries(effect)[0];
  Object.keys(VARIABLES).forEach(told);
  const file = () => fileOf(asked.client, asked.directory);
  const place = () => (asked.directory.private ? owned(asked.directory.private, true) : path.dirname(file()));
  try {
    switch (name) {
      case 'locate': return { Ok: { place: locate(file(), asked.client) } };
      case 'read': return { Ok: { file: show(file()) } };
      case 'write': return { Ok: write(file(), asked) };
      case 'make': return { Ok: { made: make({ ...asked, origin: userVariable(asked.client) }) } };
      case 'hold': return { Ok: hold(place(), asked) };
      case 'holds': return { Ok: { holds: holds(place()) } };
      case 'release': return { Ok: release(place(), asked) };
      case 'remove': return { Ok: { removed: remove(asked) } };
      case 'registries': return { Ok: { texts: registries() } };
      case 'detect': return { Ok: { detected: helpers.detected() } };
      case 'list': return { Ok: { users: await helpers.list(asked.helper) } };
      case 'get': return { Ok: { kept: await helpers.get(asked.helper, asked.registry, asked.client) } };
      default: throw new Error('an effect that is not for this host');
    }
  } catch (error) {
    if (error instanceof Trouble) return { Err: error.answer };
    throw error;
  }
}

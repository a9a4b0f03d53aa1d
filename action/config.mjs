/**
 * Docker's configuration directories: the user's own, and private ones below the runner's temporary directory.
 *
 * As docker does: `DOCKER_CONFIG`, else `.docker` at home; a `config.json` that is a link is followed; a new file has
 * mode 0600 and an existing one keeps its own; it is replaced by a rename. A private directory is named by a random id
 * and bears a marker that repeats it. Nothing without its marker is used or removed, and removing touches only what we
 * or docker put there. On Windows modes do not count, and links are junctions. What is in `config.json` is the module's
 * business: its text is handed on as it is.
 */
const fs = process.getBuiltinModule('node:fs');
const path = process.getBuiltinModule('node:path');
const util = process.getBuiltinModule('node:util');

/** The largest file that is handed to the module, in bytes; docker's own have a few KiB. */
const MAXIMUM_FILE = 1024 * 1024;
const CONFIG = 'config.json';
const MARKER = '.hublease';
/** A link to the user's directory that a private one was made of. */
const ORIGIN = '.user';
/** What of the user's directory is reached by a link. */
const LINKED = ['contexts', 'buildx', 'cli-plugins'];
/** What docker and its builder put beside these. */
const OTHERS = [ORIGIN, '.token_seed', '.token_seed.lock'];
const IS_WINDOWS = process.platform === 'win32';

/** Why an effect was not performed; `answer` is what the module gets. */
class Trouble extends Error {
  /** @param {'malformed' | 'changed' | { unusable: string }} answer */
  constructor(answer) {
    super('the configuration cannot be used');
    this.answer = answer;
  }
}

/** An empty variable counts as unset. */
const variable = (name) => process.env[name] || undefined;

/** @param {any} error @returns {string} what the system says, without the names of calls */
export const reason = (error) => (error.errno ? util.getSystemErrorMessage(error.errno) : error.message);
const unusable = (place, error) => new Trouble({ unusable: `${place}: ${reason(error)}` });

/** The result of `attempt`, or `otherwise` if the system refuses. */
function orElse(otherwise, attempt) {
  try {
    return attempt();
  } catch {
    return otherwise;
  }
}

const canonical = (place) => orElse(place, () => fs.realpathSync(place));

/** The directory that docker itself would use. */
function named() {
  const home = variable(IS_WINDOWS ? 'USERPROFILE' : 'HOME');
  const place = variable('DOCKER_CONFIG') ?? (home && path.join(home, '.docker'));
  if (!place) throw new Trouble({ unusable: 'neither DOCKER_CONFIG nor a home directory is set' });
  return canonical(path.resolve(place));
}

let user;
/** The user's own, also if DOCKER_CONFIG is a private one; known from then on, because that one may be removed. */
const userDirectory = () => (user ??= userOf(named()) ?? named());

/** @param {'user' | { private: string }} directory */
export const directoryOf = (directory) => (directory === 'user' ? userDirectory() : owned(directory.private, true));

/**
 * Docker's directory, if the file in it is a link to a relative place: docker before 27.2 follows such a link from where it
 * runs (docker/cli issue 5281), so it has to run there.
 */
export const besideLink = (directory) => orElse(undefined, () =>
  path.isAbsolute(fs.readlinkSync(path.join(directory, 'config.json'))) ? undefined : directory);

/** The file with the logins, where the client itself looks for it. */
export function fileOf(client, directory) {
  if (client !== 'podman' || directory !== 'user') return path.join(directoryOf(directory), CONFIG);
  const at = (name, ...below) => variable(name) && path.resolve(variable(name), ...below);
  return at('REGISTRY_AUTH_FILE') ?? at('DOCKER_CONFIG', CONFIG) ?? at('XDG_RUNTIME_DIR', 'containers', 'auth.json')
    ?? `/run/containers/${process.geteuid?.()}/auth.json`;
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

/** The directory of the private ones; `make` makes it. */
function records(make) {
  const temporary = variable('RUNNER_TEMP');
  if (!temporary) throw new Trouble({ unusable: 'RUNNER_TEMP is not set' });
  const place = path.join(canonical(path.resolve(temporary)), 'hublease');
  if (make) orElse(undefined, () => fs.mkdirSync(place, { mode: 0o700 }));
  return place;
}

/** Fails unless `place` is a directory of this user's alone, and no link. */
function check(place) {
  const stat = fs.lstatSync(place);
  if (!stat.isDirectory()) throw new Error('it is a link or not a directory');
  if (IS_WINDOWS) return;
  if (stat.uid !== process.geteuid()) throw new Error('it belongs to another user');
  if ((stat.mode & 0o777) !== 0o700) throw new Error('its mode is not 0700');
}

/** The path of a private directory; undefined without one, unless it `must` be there. */
function owned(id, must) {
  const place = path.join(records(), id);
  try {
    if (!/^[0-9a-f]{32}$/.test(id)) throw new Error('the id of a private directory has 32 hexadecimal digits');
    if (!must && !fs.lstatSync(place, { throwIfNoEntry: false })) return undefined;
    check(path.dirname(place));
    check(place);
    const marker = path.join(place, MARKER);
    const isMarked = fs.lstatSync(marker).isFile() && fs.readFileSync(marker, 'utf8') === id;
    if (!isMarked) throw new Error('hublease did not make it');
    return place;
  } catch (error) {
    throw unusable(place, error);
  }
}

/** The user's directory, if `place` is a private one. */
const userOf = (place) => orElse(undefined, () => {
  const isBelow = path.dirname(place) === records();
  return isBelow && owned(path.basename(place), true) ? fs.readlinkSync(path.join(place, ORIGIN)) : undefined;
});

/** Makes a private directory beside the user's. */
function make({ id, content }) {
  const from = orElse('', userDirectory);
  const place = path.join(records(true), id);
  try {
    check(path.dirname(place));
    fs.mkdirSync(place, { mode: 0o700 });
  } catch (error) {
    throw unusable(place, error);
  }
  try {
    const link = (name, to) => fs.symlinkSync(to, path.join(place, name), 'junction');
    fs.writeFileSync(path.join(place, MARKER), id, { mode: 0o600, flag: 'wx' });
    link(ORIGIN, from);
    fs.writeFileSync(path.join(place, CONFIG), content, { mode: 0o600, flag: 'wx' });
    for (const name of LINKED) {
      const linked = from && orElse(undefined, () => fs.realpathSync(path.join(from, name)));
      if (linked) link(name, linked);
    }
    return { made: place };
  } catch (error) {
    orElse(undefined, () => remove({ id }));
    throw unusable(place, error);
  }
}

/** Removes a private directory. The login goes first; what others put beside it may keep the directory. */
function remove({ id }) {
  const place = owned(id);
  if (!place) return 'done';
  try {
    fs.rmSync(path.join(place, CONFIG), { force: true });
    const isOurs = (name) => name.startsWith(CONFIG) || LINKED.includes(name) || OTHERS.includes(name);
    // Not even one of ours if it is a directory: unlinking refuses it.
    const goes = (name) => isOurs(name) && orElse(false, () => (fs.unlinkSync(path.join(place, name)), true));
    const foreign = fs.readdirSync(place).sort().filter((name) => name !== MARKER && !goes(name));
    if (foreign.length) return { left: `${place}: left because of ${foreign.slice(0, 3).join(', ')}` };
    fs.unlinkSync(path.join(place, MARKER));
    fs.rmdirSync(place);
    return 'done';
  } catch (error) {
    throw unusable(place, error);
  }
}

/** Where the directory is. */
const locate = (file) => ({
  directory: canonical(path.dirname(file)),
  unwritable: unwritable(file),
  taken_over: Boolean(orElse(undefined, () => userOf(named()))),
});

/** What is in the file, and whether others may read it. */
function show(file) {
  const { content, mode } = read(file);
  return { content, exposed: !IS_WINDOWS && Boolean(mode & 0o077) };
}

/**
 * Performs one `config` effect.
 * @param {Record<string, any> | 'detect'} effect its name, as the key of what is asked if there is more to say
 * @param {{ detected(): string | null, list(name: string): Promise<Record<string, string> | null>,
 *   get(name: string, registry: string, client: string): Promise<string> }} helpers
 */
export async function configure(effect, helpers) {
  const [name, asked] = effect === 'detect' ? [effect] : Object.entries(effect)[0];
  orElse(undefined, userDirectory);
  const file = () => fileOf(asked.client, asked.directory);
  try {
    switch (name) {
      case 'locate': return { Ok: { place: locate(file()) } };
      case 'read': return { Ok: { file: show(file()) } };
      case 'write': return { Ok: write(file(), asked) };
      case 'make': return { Ok: make(asked) };
      case 'remove': return { Ok: remove(asked) };
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

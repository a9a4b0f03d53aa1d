/**
 * Private docker directories below the runner's temporary directory.
 *
 * Each is named by a random id and bears a marker that repeats it. Nothing without its marker is used or removed. What it has
 * in common with the user's directory, and what in it is the login's own, the module says (`sharing`): the rest of the user's
 * is linked, and what a tool makes in the private one is handed over to the user's in the end, over nothing that is there. On
 * Windows modes do not count, links to directories are junctions, and files are copied: a link to one needs a right.
 */
import { CONFIG, IS_WINDOWS, Trouble, canonical, orElse, reason, unusable, variable } from './files.mjs';
const fs = process.getBuiltinModule('node:fs');
const path = process.getBuiltinModule('node:path');

const MARKER = '.hublease';
/** Beginning of the names of holds, each with the id of its login behind it. */
const HOLD = '.hublease-';
/** A link to what a private directory stands for: docker's directory of the user, or the file that podman was told of. */
const ORIGIN = '.user';
/** The most bytes that are copied from one file system to another: more would use up the time for the revocation. */
const LARGEST_COPY = 64 * 1024 * 1024;

/**
 * The directory of the private ones; `make` makes it. Where somebody else has the usual place (root in a job's container, on a
 * runner that is not root), this user has one beside it.
 */
function records(make) {
  const temporary = variable('RUNNER_TEMP');
  if (!temporary) throw new Trouble({ unusable: 'RUNNER_TEMP is not set' });
  const user = process.geteuid?.();
  const ownerOf = (place) => fs.lstatSync(place, { throwIfNoEntry: false })?.uid;
  const [usual, own] = ['hublease', `hublease-${user}`].map((name) => path.join(canonical(path.resolve(temporary)), name));
  // One that was begun is kept to, so that a later step finds what is in it.
  const isTaken = !IS_WINDOWS && (ownerOf(own) === user || ![undefined, user].includes(ownerOf(usual)));
  const place = isTaken ? own : usual;
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
export function owned(id, must) {
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

/** Where a link leads, without the separator that Windows puts behind it. */
const linked = (link) => orElse(undefined, () => path.resolve(path.dirname(link), fs.readlinkSync(link)));

/** What a private directory stands for; undefined if `place` is none. @returns {{ id: string, origin?: string } | undefined} */
export const standsFor = (place) => orElse(undefined, () => {
  const isOurs = path.dirname(place) === records() && owned(path.basename(place), true);
  return isOurs ? { id: path.basename(place), origin: linked(path.join(place, ORIGIN)) } : undefined;
});

const isApart = (name, sharing) => sharing.apart.some((beginning) => name.startsWith(beginning));

function link(to, place) {
  if (!IS_WINDOWS) fs.symlinkSync(to, place);
  else if (orElse(true, () => fs.statSync(to).isDirectory())) fs.symlinkSync(to, place, 'junction');
  else fs.copyFileSync(to, place, fs.constants.COPYFILE_EXCL);
}

/** Links what lies in the user's directory. Gives why there was nothing to link, or null. */
function linkAll(place, user, sharing) {
  // Where the user's directory cannot be written, tools make it in the private one.
  for (const name of sharing.made) {
    orElse(undefined, () => fs.mkdirSync(path.join(user, name), { recursive: true, mode: 0o700 }));
  }
  let names;
  try {
    names = fs.readdirSync(user);
  } catch (error) {
    return error.code === 'ENOENT' ? null : `${user}: ${reason(error)}`;
  }
  for (const name of names) if (!isApart(name, sharing)) link(path.join(user, name), path.join(place, name));
  return null;
}

/** Makes a private directory; `origin` is what it stands for, or empty. */
export function make({ id, origin, content, sharing }) {
  const place = path.join(records(true), id);
  try {
    check(path.dirname(place));
    fs.mkdirSync(place, { mode: 0o700 });
  } catch (error) {
    throw unusable(place, error);
  }
  try {
    fs.writeFileSync(path.join(place, MARKER), id, { mode: 0o600, flag: 'wx' });
    if (origin) fs.symlinkSync(origin, path.join(place, ORIGIN), 'junction');
    fs.writeFileSync(path.join(place, CONFIG), content, { mode: 0o600, flag: 'wx' });
    return { path: place, unlinked: origin && sharing.linked ? linkAll(place, origin, sharing) : null };
  } catch (error) {
    orElse(undefined, () => remove({ id, sharing }));
    throw unusable(place, error);
  }
}

/** The name of a hold; it is no path. */
function nameOf(holder) {
  if (!/^[0-9a-f]{32}$/.test(holder)) throw new Trouble({ unusable: 'the id of a login has 32 hexadecimal digits' });
  return `${HOLD}${holder}`;
}

/** Writes a hold on the directory `place`, and drops what is of one login only. */
export function hold(place, { holder, note, sharing }) {
  const name = nameOf(holder);
  try {
    fs.mkdirSync(place, { recursive: true, mode: 0o700 });
    dropSeeds(place, sharing);
    fs.rmSync(path.join(place, name), { force: true });
    fs.writeFileSync(path.join(place, name), note, { mode: 0o600, flag: 'wx' });
    return 'done';
  } catch (error) {
    throw unusable(place, error);
  }
}

/** The holds on the directory `place`; what cannot be read keeps nothing. */
export function holds(place) {
  try {
    const names = fs.readdirSync(place).filter((name) => /^\.hublease-[0-9a-f]{32}$/.test(name));
    const read = (name) => orElse('', () => fs.readFileSync(path.join(place, name), 'utf8'));
    return names.sort().map((name) => ({ holder: name.slice(HOLD.length), note: read(name) }));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw unusable(place, error);
  }
}

/** Takes a hold away, and drops what is of one login only. */
export function release(place, { holder, sharing }) {
  const name = nameOf(holder);
  try {
    dropSeeds(place, sharing);
    fs.rmSync(path.join(place, name), { force: true });
    return 'done';
  } catch (error) {
    throw unusable(place, error);
  }
}

function dropSeeds(place, { seeds }) {
  if (!seeds.length) return;
  const names = fs.readdirSync(place).filter((name) => seeds.some((beginning) => name.startsWith(beginning)));
  names.forEach((name) => fs.unlinkSync(path.join(place, name)));
}

/** Removes a private directory. The login goes first; what cannot be handed over may keep the directory. */
export function remove({ id, sharing }) {
  const place = owned(id);
  const removed = { moved: [], left: [], path: place ?? '' };
  if (!place) return removed;
  const user = sharing.linked ? linked(path.join(place, ORIGIN)) : undefined;
  try {
    fs.rmSync(path.join(place, CONFIG), { force: true });
    for (const name of fs.readdirSync(place).sort().filter((name) => name !== MARKER && name !== ORIGIN)) {
      const kind = orElse('left', () => putAway(place, name, user, sharing));
      if (kind) removed[kind].push(name);
    }
    // They stay as long as anything does: the next logout hands it over.
    if (removed.left.length) return removed;
    fs.rmSync(path.join(place, ORIGIN), { force: true });
    fs.unlinkSync(path.join(place, MARKER));
    fs.rmdirSync(place);
    // Left empty by root, it would be in the way of the next job's user. While others use it, it stays.
    orElse(undefined, () => fs.rmdirSync(path.dirname(place)));
    return removed;
  } catch (error) {
    throw unusable(place, error);
  }
}

/** One name. @returns {'moved' | 'left' | undefined} undefined for what was the login's own */
function putAway(place, name, user, sharing) {
  const [from, to] = [path.join(place, name), path.join(user ?? place, name)];
  if (isApart(name, sharing) || (user && linked(from) === to)) {
    // Not even then a directory: unlinking refuses it.
    fs.unlinkSync(from);
    return undefined;
  }
  if (!user) return 'left';
  fs.mkdirSync(user, { recursive: true, mode: 0o700 });
  return handOver(from, to) ? 'moved' : 'left';
}

/** Hands over what a tool made, over nothing that is there. @returns {boolean} whether nothing of it is left at `from` */
function handOver(from, to) {
  const [ours, theirs] = [fs.lstatSync(from), fs.lstatSync(to, { throwIfNoEntry: false })];
  if (!theirs) {
    moveThere(from, to);
    return true;
  }
  if (ours.isDirectory() && theirs.isDirectory()) {
    // One that stays keeps none of the others.
    const goes = (name) => orElse(false, () => handOver(path.join(from, name), path.join(to, name)));
    const stays = fs.readdirSync(from).filter((name) => !goes(name));
    if (!stays.length) fs.rmdirSync(from);
    return !stays.length;
  }
  const hasArrived = ours.isFile() && theirs.isFile()
    ? ours.size === theirs.size && ours.size <= LARGEST_COPY && fs.readFileSync(from).equals(fs.readFileSync(to))
    : ours.isSymbolicLink() && theirs.isSymbolicLink() && fs.readlinkSync(from) === fs.readlinkSync(to);
  if (hasArrived) fs.unlinkSync(from);
  return hasArrived;
}

function moveThere(from, to) {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (error.code !== 'EXDEV') throw error;
    if (size(from) > LARGEST_COPY) throw new Error('it is too large');
    try {
      fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true, errorOnExist: true });
    } catch (failure) {
      fs.rmSync(to, { recursive: true, force: true });
      throw failure;
    }
    fs.rmSync(from, { recursive: true });
  }
}

function size(place) {
  const stat = fs.lstatSync(place);
  if (!stat.isDirectory()) return stat.size;
  return fs.readdirSync(place).reduce((sum, name) => sum + size(path.join(place, name)), 0);
}

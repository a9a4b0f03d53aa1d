/**
 * What each `config` effect does to the content of docker's `config.json` (or podman's auth file), as pure functions.
 *
 * `tests/fixtures/docker-config.json` is the table of cases, which `src/native/docker_merge.rs` runs as well. The rules
 * are docker's own: `credHelpers` by exact key, then `credsStore`, then, in a file that knows no login at all, whatever
 * helper docker detects, then the file. podman reads `credHelpers` only.
 */

const HUB = 'https://index.docker.io/v1/';

/** Every spelling of a registry that docker or its users know. */
const SPELLINGS = {
  'docker.io': [
    HUB, 'https://index.docker.io/v1', 'https://docker.io', 'docker.io', 'index.docker.io', 'registry-1.docker.io',
    'registry.hub.docker.com', 'hub.docker.com',
  ],
  'dhi.io': ['dhi.io', 'https://dhi.io'],
};

/** Why an effect was not performed; `answer` is what the module gets. */
export class Trouble extends Error {
  /** @param {'malformed' | { unusable: string }} answer */
  constructor(answer) {
    super('the configuration cannot be used');
    this.answer = answer;
  }
}

/** The key under which a client keeps the login to a registry. @param {string} registry @param {string} [client] */
export const keyOf = (registry, client) => (registry === 'docker.io' && client !== 'podman' ? HUB : registry);

const isObject = (value) => typeof value === 'object' && value && !Array.isArray(value) && !JSON.isRawJSON(value);

/**
 * Parses JSON in which no object names a key twice, because writing it back would drop somebody's login. Numbers keep
 * their text.
 * @param {string} text
 */
export function parse(text) {
  try {
    const value = JSON.parse(text, (_, part, { source }) => (typeof part === 'number' ? JSON.rawJSON(source) : part));
    const open = [];
    for (const [token, key] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
      if (token === '{') open.push(new Set());
      else if (token === '}') open.pop();
      else if (key && open.at(-1).size === open.at(-1).add(JSON.parse(key)).size) throw new Error('a key occurs twice');
    }
    return value;
  } catch {
    throw new Trouble('malformed');
  }
}

/** Checks docker's types where we touch them. `null` counts as absent, as in Go. @param {unknown} content */
export function checked(content) {
  if (!isObject(content)) throw new Trouble('malformed');
  const config = { ...content };
  for (const name of ['auths', 'credHelpers', 'credsStore']) if (config[name] === null) delete config[name];
  const { auths = {}, credHelpers = {}, credsStore = '' } = config;
  const fits = isObject(auths) && Object.values(auths).every(isObject) && typeof credsStore === 'string'
    && isObject(credHelpers) && Object.values(credHelpers).every((helper) => typeof helper === 'string');
  if (!fits) throw new Trouble('malformed');
  return config;
}

/** The changes, by effect. Each takes checked content, which it leaves as it is, and gives the new one. */
export const changes = {
  store(config, { registry, username, secret }) {
    const auth = Buffer.from(`${username}:${secret}`).toString('base64');
    return { ...config, auths: { ...config.auths, [keyOf(registry)]: { auth } } };
  },
  erase(config, { registry, client }) {
    const { [keyOf(registry, client)]: _, ...auths } = config.auths ?? {};
    return config.auths ? { ...config, auths } : config;
  },
  /** An empty entry makes it a file that knows a login, for which docker detects no helper. */
  seed(config, { registry }) {
    return { ...config, auths: { [keyOf(registry)]: {}, ...config.auths } };
  },
  restore(config, { registry, client, entry }) {
    const restored = parse(entry);
    if (!isObject(restored)) throw new Trouble('malformed');
    return { ...config, auths: { ...config.auths, [keyOf(registry, client)]: restored } };
  },
  /** What a private directory takes along: settings and other registries' helpers, other logins only if asked for. */
  isolate({ credsStore: _, ...config }, { registries, copy_auths: copy }) {
    const isOurs = (key) => registries.some((registry) => SPELLINGS[registry].includes(key));
    const others = (object = {}) => Object.fromEntries(Object.entries(object).filter(([key]) => !isOurs(key)));
    const helpers = config.credHelpers ? { credHelpers: others(config.credHelpers) } : {};
    const markers = Object.fromEntries(registries.map((registry) => [keyOf(registry), {}]));
    return { ...config, ...helpers, auths: { ...(copy ? others(config.auths) : {}), ...markers } };
  },
};

/** Whether docker would look for a helper by itself: nothing here is about logins. */
export const detects = ({ auths = {}, credHelpers = {}, credsStore }) =>
  !Object.keys(auths).length && !Object.keys(credHelpers).length && !credsStore;

/**
 * Who keeps the login to one registry, and what the file says about it.
 * @param {string} [detected] the helper that docker would find by itself
 * @returns {{ helper: { name: string, configured: boolean } | null, entry: object | null }}
 */
export function look(config, client, registry, detected) {
  const key = keyOf(registry, client);
  const configured = config.credHelpers?.[key] || (client !== 'podman' && config.credsStore);
  const name = configured || (client === 'docker' && detects(config) && detected);
  return { helper: name ? { name, configured: Boolean(configured) } : null, entry: entryOf(config.auths?.[key]) };
}

/** An entry with something in it; the empty one is a marker and no login. */
function entryOf(entry = {}) {
  const filled = (name) => (typeof entry[name] === 'string' && entry[name]) || null;
  if (!['auth', 'username', 'password', 'identitytoken', 'registrytoken'].some(filled)) return null;
  const bytes = Buffer.from(filled('auth') ?? '', 'base64');
  // Buffer passes over what is not base64; the username of such an entry cannot be read.
  const name = bytes.toString('base64') === entry.auth ? bytes.toString().split(':')[0] : '';
  return { username: (!name.includes('\ufffd') && name) || filled('username'), raw: JSON.stringify(entry) };
}

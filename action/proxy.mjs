/**
 * Which requests go through a proxy, and how it is asked for a tunnel.
 *
 * As in `src/native/http/proxy.rs`: `HTTPS_PROXY` and `NO_PROXY` as Go (and so docker) reads them, capitals first; other
 * variables are not asked. A proxy is spoken to in plain `http`, and never sees the request. Node's own way
 * (`proxyEnv`) is not taken: before 24.5 it is not there, and is ignored without a word.
 */

/** A host of a URL, without the brackets of IPv6. @param {string} hostname */
export const bare = (hostname) => hostname.replace(/^\[|\]$/g, '');

/**
 * The proxy on the way to a host; undefined where the way is direct.
 * @param {string} host without brackets @param {string} port @returns {URL | undefined}
 * @throws when its address cannot be used; going straight there instead would not be what was asked for
 */
export function proxyFor(host, port) {
  const { HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy } = process.env;
  const proxy = HTTPS_PROXY || https_proxy;
  if (!proxy || isExempt(NO_PROXY || no_proxy || '', host, port)) return undefined;
  const url = new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
  if (url.protocol !== 'http:' || !url.hostname) throw new Error('no proxy that is spoken to');
  return url;
}

/**
 * Asks a proxy for a tunnel, which is what `opened` gets.
 * @param {URL} proxy @param {string} target host and port
 * @param {(socket: import('node:net').Socket) => void} opened
 * @param {(error: { code?: string, status?: number }) => void} failed what the system or the proxy said
 * @returns {{ destroy(): void }} to give it up with
 */
export function tunnel(proxy, target, opened, failed) {
  const { hostname, port, username, password } = proxy;
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
  const call = process.getBuiltinModule('node:http').request({
    host: bare(hostname),
    port: port || 80,
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...(login !== ':' && authorization) },
    agent: false,
  });
  call.on('error', failed);
  call.on('connect', ({ statusCode: status }, socket, head) => {
    if (status === 200) {
      // Whoever is behind may have spoken already.
      if (head.length) socket.unshift(head);
      return opened(socket);
    }
    socket.destroy();
    return failed({ status });
  });
  call.end();
  return call;
}

/** Names cover what is below them, with a dot in front that alone; addresses, networks, `*`, and a port. */
export function isExempt(list, host, port) {
  const entries = list.toLowerCase().split(',').map((entry) => entry.trim()).filter(Boolean);
  return entries.some((entry) => {
    if (entry === '*') return true;
    if (entry.includes('/')) return isInNetwork(host, ...entry.split('/'));
    // An IPv6 address has brackets if a port follows.
    const [, address, name, wanted] = /^(?:\[(.*)\]|([^:]*|.*:.*:.*))(?::([^:]*))?$/.exec(entry) ?? [];
    if (wanted !== undefined && wanted !== port) return false;
    const suffix = (address ?? name).replace(/^\*+/, '');
    return suffix.startsWith('.') ? host.endsWith(suffix) : `.${host}`.endsWith(`.${suffix}`);
  });
}

function isInNetwork(host, network, bits) {
  const { BlockList, isIP } = process.getBuiltinModule('node:net');
  const version = isIP(network);
  if (!version || version !== isIP(host) || !/^\d{1,3}$/.test(bits)) return false;
  const networks = new BlockList();
  networks.addSubnet(network, Math.min(bits, version === 4 ? 32 : 128), `ipv${version}`);
  return networks.check(host, `ipv${version}`);
}

/**
 * One HTTP request, sent to the origin that was fixed for its destination before the story started.
 *
 * Each request has a connection of its own, no redirect is followed, every status is an answer, and every size and time
 * has a limit. Certificates are always verified: against Node's roots, the system's, and those of `ca-cert`.
 */

/** The one place of the version; a test compares it with the manifest. */
const VERSION = '0.1.0';
/** A connection, TLS included, is made within this or not at all, in milliseconds. */
const CONNECT = 5_000;
/** The whole of a request, in milliseconds. */
const REQUEST = 15_000;
/** The largest body and the largest head of an answer, in bytes. */
const BODY = 1024 * 1024;
const HEAD = 32 * 1024;
/** The longest `Retry-After` or `Location` that is handed on; a longer one counts as absent. */
const HEADER = 2048;
/**
 * OpenSSL's names for a certificate that is not trusted, out of date, or another host's; `ERR_SSL_…` is what the other
 * side thinks of us.
 */
const UNTRUSTED = /^(?!ERR_SSL_).*(CERT|ISSUER|SIGNATURE|CRL|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|MISMATCH)/;

/** Loaded when it is first needed: it takes as long as a request. */
const clientOf = (protocol) => process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http');

const isLoopback = (host) => /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(host);

/** @param {string} text `https`, or `http` to this very machine; nothing but scheme, host and port */
function origin(text) {
  const url = new URL(text);
  const isFit = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  if (!isFit || url.origin !== text) throw new Error('an origin that no secret may be sent to');
  return url;
}

/** The way out. */
export class Network {
  #origins;
  #extra;
  /** Whether the system's roots are trusted beside Node's own; reading them takes longer than a request. */
  #isWide = false;
  #contexts = {};

  /**
   * @param {Record<string, string>} destinations
   * @param {{ certificates: string[], isProviderOnly: boolean } | undefined} extra
   */
  constructor(destinations, extra) {
    this.#origins = new Map(Object.entries(destinations).map(([name, text]) => [name, origin(text)]));
    this.#extra = extra;
  }

  /**
   * @param {{ to: string, method: string, path_and_query: string, headers: [string, string][], body: string }} request
   * @param {number} left milliseconds
   * @param {AbortSignal} signal gives it up
   * @returns {Promise<{ Ok: object } | { Err: string }>}
   */
  async send(request, left, signal) {
    const until = performance.now() + Math.min(left, REQUEST);
    const answer = await this.#send(request, left, signal);
    if (answer.Err !== 'untrusted' || this.#isWide || signal.aborted) return answer;
    // Nothing was sent to a host that is not trusted, so it is asked again as one that the system may vouch for.
    this.#isWide = true;
    return this.#send(request, Math.max(0, until - performance.now()), signal);
  }

  #send(request, left, signal) {
    // The story's time is over; asking would only tell that it was.
    if (!left) return Promise.resolve({ Err: 'slow' });
    return new Promise((resolve) => {
      let connected = false;
      const done = (answer) => {
        timers.forEach(clearTimeout);
        resolve(answer);
        call?.destroy();
      };
      // Without a connection nothing was sent, so the request was certainly not carried out, however long that took.
      const fail = (failure) => done({ Err: connected ? failure : 'unreachable' });
      const timers = [
        setTimeout(fail, Math.min(left, REQUEST), 'slow'),
        setTimeout(() => connected || fail(), CONNECT),
      ];
      signal.addEventListener('abort', () => fail('slow'));
      let call;
      try {
        call = this.#start(request);
      } catch {
        // A path, a header or the address of a proxy that cannot be written down as HTTP.
        return fail();
      }
      call.on('error', (error) => (UNTRUSTED.test(error.code) && !connected ? done({ Err: 'untrusted' })
        : fail(error.code === 'HPE_HEADER_OVERFLOW' ? 'too_large' : 'cut')));
      call.on('socket', (socket) => {
        connected = !socket.connecting && !socket.secureConnecting;
        socket.once(socket.encrypted ? 'secureConnect' : 'connect', () => (connected = true));
      });
      call.on('response', (response) => collect(response, done, fail));
      call.end(request.body);
    });
  }

  #start({ to, method, path_and_query: target, headers, body }) {
    const { protocol, hostname, port, host, origin } = this.#origins.get(to);
    if (!target.startsWith('/') || new URL(origin + target).host !== host) throw new Error('a path of another host');
    const secure = protocol === 'https:';
    const length = method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {};
    return clientOf(protocol).request({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port || (secure ? 443 : 80),
      method,
      path: target,
      headers: { ...Object.fromEntries(headers), ...length, 'user-agent': `hublease/${VERSION}` },
      maxHeaderSize: HEAD,
      agent: secure && !isLoopback(hostname) ? agent(hostname.replace(/^\[|\]$/g, ''), port || '443') : false,
      // Said for each request, so that no variable (NODE_TLS_REJECT_UNAUTHORIZED) decides it.
      ...(secure && { rejectUnauthorized: true, secureContext: this.#trust(to) }),
    });
  }

  #trust(to) {
    const { certificates = [], isProviderOnly } = this.#extra ?? {};
    const extra = isProviderOnly && !to.startsWith('provider') ? [] : certificates;
    const tls = process.getBuiltinModule('node:tls');
    const known = () => {
      if (!this.#isWide && !extra.length) return {};
      const system = this.#isWide ? tls.getCACertificates('system') : [];
      const roots = [...tls.getCACertificates('default'), ...system, ...extra];
      return { ca: [...new Set(roots.map((pem) => pem.trim()))] };
    };
    this.#contexts[[this.#isWide, extra.length]] ??= tls.createSecureContext({ ...known(), minVersion: 'TLSv1.2' });
    return this.#contexts[[this.#isWide, extra.length]];
  }
}

/** Reads an answer; a body over the cap is a failure and not a cut. */
function collect(response, done, fail) {
  const chunks = [];
  let size = 0;
  if (Number(response.headers['content-length']) > BODY) return done({ Err: 'too_large' });
  response.on('data', (chunk) => {
    size += chunk.length;
    if (size > BODY) done({ Err: 'too_large' });
    else chunks.push(chunk);
  });
  response.on('error', () => fail('cut'));
  response.on('end', () => {
    const header = (name) => {
      const value = response.headers[name] ?? '';
      return value.length <= HEADER && /^[\t\x20-\x7e]+$/.test(value) ? value : null;
    };
    // Docker Hub's older spelling names a moment in seconds since 1970 instead of a wait.
    const moment = header('x-retry-after')?.trim();
    const wait = /^\d{1,15}$/.test(moment) ? `${Math.max(0, moment - Math.floor(Date.now() / 1000))}` : null;
    let body = '';
    try {
      body = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
    } catch {
      // Not UTF-8 is nothing that any provider sends; it is handed on as none.
    }
    const retry = header('retry-after') ?? wait;
    done({ Ok: { status: response.statusCode, retry_after: retry, location: header('location'), body } });
  });
}

/** HTTPS_PROXY and NO_PROXY as Go (and so docker) reads them, capitals first; other variables are not asked. */
function agent(host, port) {
  const { HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy } = process.env;
  const proxy = HTTPS_PROXY || https_proxy;
  if (!proxy || isExempt(NO_PROXY || no_proxy || '', host, port)) return false;
  const { Agent } = process.getBuiltinModule('node:https');
  return new Agent({ proxyEnv: { HTTPS_PROXY: proxy.includes('://') ? proxy : `http://${proxy}` } });
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

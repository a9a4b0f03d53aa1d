/**
 * One HTTP request, sent to the origin that was fixed for its destination before the story started.
 *
 * Each request has a connection of its own, no redirect is followed, every status is an answer, and every size and time
 * has a limit. Certificates are always verified: against Node's roots, the system's, and those of `ca-cert`.
 */
import { bare, proxyFor, tunnel } from './proxy.mjs';

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
/** OpenSSL's names for no TLS at all, or none that both sides know. */
const NO_TLS = /^(ERR_SSL_|EPROTO)/;

/** What the system calls an obstacle; everything else is another one. */
const OBSTACLES = { ENOTFOUND: 'unknown_name', EAI_AGAIN: 'unknown_name', ECONNREFUSED: 'closed', ETIMEDOUT: 'silent' };
const obstacle = ({ code }) => OBSTACLES[code] ?? 'other';

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
   * @returns {Promise<{ Ok: object } | { Err: string | object }>} `Failure` of `src/effect/http.rs`
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
      let call;
      // Whose connection is being made.
      let to = 'unreachable';
      const done = (answer) => {
        timers.forEach(clearTimeout);
        resolve(answer);
        call?.destroy();
      };
      const fail = (failure) => done({ Err: failure });
      // Without a connection nothing was sent, so the request was certainly not carried out, however long that took.
      const late = () => fail(connected ? 'slow' : { [to]: 'silent' });
      const timers = [
        setTimeout(late, Math.min(left, REQUEST)),
        setTimeout(() => connected || late(), CONNECT),
      ];
      signal.addEventListener('abort', late);
      const ask = (socket) => {
        to = 'unreachable';
        try {
          call = this.#ask(request, socket);
        } catch {
          // A path or a header that cannot be written down as HTTP.
          return fail('unsendable');
        }
        call.on('error', (error) => {
          if (connected) fail(error.code === 'HPE_HEADER_OVERFLOW' ? 'too_large' : 'cut');
          else if (UNTRUSTED.test(error.code)) fail('untrusted');
          else fail(NO_TLS.test(error.code) ? 'no_tls' : { unreachable: obstacle(error) });
        });
        call.on('socket', (socket) => {
          connected = !socket.connecting && !socket.secureConnecting;
          socket.once(socket.encrypted ? 'secureConnect' : 'connect', () => (connected = true));
        });
        call.on('response', (response) => collect(response, done, fail));
        return call.end(request.body);
      };
      try {
        const { protocol, hostname, port } = this.#origins.get(request.to) ?? {};
        const isDirect = protocol !== 'https:' || isLoopback(hostname);
        const proxy = isDirect ? undefined : proxyFor(bare(hostname), port || '443');
        if (!proxy) return ask();
        to = 'proxy_unreachable';
        const failed = ({ status, code }) => fail(status ? { proxy_refused: status } : { [to]: obstacle({ code }) });
        call = tunnel(proxy, `${hostname}:${port || 443}`, ask, failed);
      } catch {
        fail('proxy_unusable');
      }
    });
  }

  /** @param {import('node:net').Socket | undefined} tunnel what the connection is made in, if not straight to the host */
  #ask({ to, method, path_and_query: target, headers, body }, tunnel) {
    const { protocol, hostname, port, host, origin } = this.#origins.get(to) ?? {};
    if (!target.startsWith('/') || new URL(origin + target).host !== host) throw new Error('a path of another host');
    const secure = protocol === 'https:';
    const length = method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {};
    const [name, isIP] = [bare(hostname), (host) => process.getBuiltinModule('node:net').isIP(host)];
    // Said for each request, so that no variable (NODE_TLS_REJECT_UNAUTHORIZED) decides it.
    const trust = secure && { rejectUnauthorized: true, secureContext: this.#trust(to) };
    const inTunnel = () => process.getBuiltinModule('node:tls')
      .connect({ socket: tunnel, host: name, servername: isIP(name) ? '' : name, ...trust });
    return clientOf(protocol).request({
      host: name,
      port: port || (secure ? 443 : 80),
      method,
      path: target,
      headers: { ...Object.fromEntries(headers), ...length, 'user-agent': `hublease/${VERSION}` },
      maxHeaderSize: HEAD,
      ...trust,
      ...(tunnel ? { createConnection: inTunnel } : { agent: false }),
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
      // Not UTF-8 is nothing that any provider sends; it is handed on as that, and not as none.
      body = '\ufffd';
    }
    const retry = header('retry-after') ?? wait;
    done({ Ok: { status: response.statusCode, retry_after: retry, location: header('location'), body } });
  });
}

// An OpenID provider on loopback, behind a name of its own: usage `node serve.mjs ISSUER`. It prints where it listens.
//
// One client, which gets signed access tokens for the audience that it asks for (RFC 8707), with the claims of a project and a job.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const issuer = process.argv[2];
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'of-the-test' };

const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  clients: [{
    client_id: 'ci', client_secret: 'of the test alone', grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
  }],
  extraTokenClaims: () => ({ project_id: '4711', job_id: '42', ref: 'refs/heads/main' }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource) => ({
        scope: 'ci', audience: resource, accessTokenTTL: 600, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
// Whoever stands before it ends TLS.
provider.proxy = true;

const answer = provider.callback();
const server = createServer((request, response) => {
  request.headers['x-forwarded-proto'] = 'https';
  answer(request, response);
});
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().address}:${server.address().port}`));

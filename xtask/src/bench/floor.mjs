// The floor of `cargo xtask bench action`: what any script has to do for such a login, without a single check. The same
// requests as the Action's step through the same proxy, and the same `docker login`.
const [https, { spawn }] = ['node:https', 'node:child_process'].map((name) => process.getBuiltinModule(name));
const { BROKER, ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN } = process.env;
const agent = new https.Agent({ proxyEnv: process.env });

const ask = (url, options, body) => new Promise((resolve, reject) => {
  const request = https.request(url, { agent, ...options }, (response) => {
    let text = '';
    response.on('data', (chunk) => (text += chunk)).on('end', () => resolve(JSON.parse(text)));
  });
  request.on('error', reject).end(body);
});

const bearer = { authorization: `Bearer ${ACTIONS_ID_TOKEN_REQUEST_TOKEN}` };
const url = `${ACTIONS_ID_TOKEN_REQUEST_URL}&audience=${encodeURIComponent(BROKER)}`;
const { value } = await ask(url, { headers: bearer });
const { token_endpoint: endpoint } = await ask(`${BROKER}/.well-known/oauth-authorization-server`, {});
const form = new URLSearchParams({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: value,
  subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
});
const headers = { 'content-type': 'application/x-www-form-urlencoded' };
const { access_token: secret, username } = await ask(endpoint, { method: 'POST', headers }, form.toString());
const streams = { stdio: ['pipe', 'ignore', 'inherit'] };
const docker = spawn('docker', ['login', '--username', username, '--password-stdin'], streams);
docker.stdin.end(secret);
docker.on('exit', (code) => (process.exitCode = code));

//! From a request to the code that answers it, in Vault's order: server state, login, token, policy, mount.
//!
//! Follows OpenBao's `http/handler.go`, `request_handling.go` and `router.go`, and the Agent's `agent.go` for
//! `require_request_header`. Because the token is judged before the mount, an unknown path without a token is 403
//! and not 404, a login at an unknown mount included. All of it was measured at OpenBao.

use hublease_protocol::percent;

use super::Vault;
use super::policy::Capability;
use super::state::Engine;
use super::token::Token;
use super::wire::{self, Call, MAX_REQUEST_BYTES, Operation, Reply};

impl Vault {
    pub(super) fn answer(&self, request: &http::Request<Vec<u8>>) -> Result<Reply, Reply> {
        if self.state().require_request_header && !has_request_header(request) {
            // The Agent's answer: a 412 that no retry heals.
            return Err(Reply::error(412, "missing 'X-Vault-Request' header"));
        }
        if request.uri().path() == "/v1/sys/health" {
            return self.health(request);
        }
        self.gate(request)?;
        let call = self.parse(request)?;
        let reply = self.answer_to(&call)?;
        Ok(if request.headers().contains_key("x-vault-wrap-ttl") { self.wrapped(&call, reply) } else { reply })
    }

    fn answer_to(&self, call: &Call) -> Result<Reply, Reply> {
        if let Some(reply) = self.public(call) {
            return reply;
        }
        let denied = || Reply::error(403, "permission denied");
        let token = call.token.as_ref().and_then(|token| self.state().tokens.get(token).cloned()).ok_or_else(denied)?;
        if !self.state().may_be_used(&token) {
            return Err(denied());
        }
        self.used(&token, |token| self.judged(call, token))
    }

    /// A request whose token is good, by the token's policies.
    fn judged(&self, call: &Call, token: &Token) -> Result<Reply, Reply> {
        let full_path = call.full_path();
        let capability = self.needed_capability(call);
        // What a token asks of itself, it may ask from every namespace.
        let is_of_itself = call.path.starts_with("auth/token/") && call.path.ends_with("-self");
        let judged_path = if is_of_itself { format!("{}{}", token.namespace, call.path) } else { full_path };
        if !self.state().permits(token, &judged_path, capability) {
            return Err(Reply::core_error(403, "permission denied"));
        }
        self.dispatch(call, token)
    }

    /// What the server as a whole answers, whoever asks.
    fn gate(&self, request: &http::Request<Vec<u8>>) -> Result<(), Reply> {
        let mut state = self.state();
        if state.sealed {
            return Err(Reply::error(503, "Vault is sealed"));
        }
        if let Some(origin) = &state.active_node {
            let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
            let mut reply = Reply::empty(307);
            reply.location = Some(format!("{origin}{target}"));
            return Err(reply);
        }
        if state.precondition_failures > 0 {
            state.precondition_failures -= 1;
            return Err(Reply::error(412, "required index state not present"));
        }
        Ok(())
    }

    fn parse(&self, request: &http::Request<Vec<u8>>) -> Result<Call, Reply> {
        if request.body().len() > MAX_REQUEST_BYTES {
            return Err(Reply::error(413, "http: request body too large"));
        }
        let path =
            percent::decode(request.uri().path().bytes()).ok_or_else(|| Reply::error(400, "invalid URL escape"))?;
        let path = path.strip_prefix("/v1/").ok_or_else(|| Reply::errors(404, &[]))?;
        if path.split('/').any(|segment| segment == "..") {
            return Err(Reply::error(400, "relative paths not supported"));
        }
        let header = request
            .headers()
            .get("x-vault-namespace")
            .and_then(|value| value.to_str().ok())
            .map(|value| value.trim_matches('/'))
            .filter(|value| !value.is_empty() && *value != "root")
            .map(|value| format!("{value}/"))
            .unwrap_or_default();
        if !header.is_empty() && !self.state().namespaces.contains(&header) {
            return Err(Reply::error(404, "namespace not found"));
        }
        let full_path = format!("{header}{path}");
        let (namespace, path) = {
            let state = self.state();
            let (namespace, path) = state.split_namespace(&full_path);
            (namespace.to_owned(), path.to_owned())
        };
        Ok(Call {
            operation: wire::operation(request)?,
            namespace,
            path,
            token: wire::client_token(request),
            body: wire::body(request.body())?,
        })
    }

    /// Paths that need no token: logins.
    fn public(&self, call: &Call) -> Option<Result<Reply, Reply>> {
        let full_path = call.full_path();
        let (mount, mounted) = {
            let state = self.state();
            let (mount, rest, mounted) = state.jwt_mount(&full_path)?;
            if rest != "login" {
                return None;
            }
            (mount, mounted.clone())
        };
        Some(self.login(call, &mount, &mounted))
    }

    /// Writes are updates, except below the Docker Hub plugin: its existence check looks where nothing is ever stored.
    fn needed_capability(&self, call: &Call) -> Capability {
        let full_path = call.full_path();
        let state = self.state();
        let engine = state.engine(&full_path).map(|(_, _, engine)| engine);
        match (call.operation, engine) {
            (Operation::Write, Some(Engine::DockerHub(_))) => Capability::Create,
            (Operation::Write, _) => Capability::Update,
            (Operation::Read, _) => Capability::Read,
            (Operation::List, _) => Capability::List,
            (Operation::Delete, _) => Capability::Delete,
        }
    }

    fn dispatch(&self, call: &Call, token: &Token) -> Result<Reply, Reply> {
        let only = |operation: Operation| {
            if call.operation == operation { Ok(()) } else { Err(Reply::unsupported_operation()) }
        };
        match call.path.as_str() {
            "auth/token/lookup-self" => {
                only(Operation::Read)?;
                return Ok(self.lookup_self(token));
            }
            "auth/token/revoke-self" => {
                only(Operation::Write)?;
                return Ok(self.revoke_self(token));
            }
            "sys/leases/lookup" => {
                only(Operation::Write)?;
                return self.lookup_lease(call);
            }
            _ => {}
        }
        if let Some(lease_id) = call.path.strip_prefix("sys/leases/revoke")
            && (lease_id.is_empty() || lease_id.starts_with('/'))
        {
            only(Operation::Write)?;
            return self.revoke_lease(call, lease_id.trim_start_matches('/'));
        }
        if call.path.starts_with("sys/") || call.path.starts_with("auth/token/") {
            return Err(Reply::unsupported_path());
        }
        self.engine(call, token)
    }

    fn engine(&self, call: &Call, token: &Token) -> Result<Reply, Reply> {
        let full_path = call.full_path();
        let found = {
            let state = self.state();
            state.engine(&full_path).map(|(mount, rest, engine)| (mount, rest.to_owned(), engine.clone()))
        };
        let Some((mount, rest, engine)) = found else {
            let path = &call.path;
            return Err(Reply::error(404, format!("no handler for route {path:?}. route entry not found.")));
        };
        match engine {
            Engine::DockerHub(engine) => self.docker_hub(call, token, &mount, &rest, &engine),
            Engine::Dynamic(engine) => self.dynamic(call, token, &mount, &engine),
            Engine::KeyValue(engine) => self.key_value(call, &rest, &engine),
        }
    }
}

fn has_request_header(request: &http::Request<Vec<u8>>) -> bool {
    let mut values = request.headers().get_all("x-vault-request").iter();
    values.next().is_some_and(|value| value == "true") && values.next().is_none()
}

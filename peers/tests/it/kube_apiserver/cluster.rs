//! A cluster with two service accounts, the sandbox beside it, and an operator of our broker.

use std::fs;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hublease_peers::kube_apiserver::KubeApiServer;
use hublease_sandbox::{Sandbox, TokenBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Outcome;

pub const BROKER: &str = "https://broker.example.com";
/// The sandbox's issuers sign with it, and so does the cluster: what the cluster would never sign can be made, too.
const SIGNING_KEY: &str = include_str!("../../../../sandbox/keys/issuer.test-only.pem");

/// Namespace and service account are those of the sandbox's identity; a pod of that account was said to run on a node.
pub struct Cluster {
    pub sandbox: Sandbox,
    pub server: KubeApiServer,
    folder: TempDir,
}

impl Cluster {
    pub fn start() -> Self {
        let sandbox = Sandbox::start().unwrap();
        let server = KubeApiServer::start(SIGNING_KEY);
        let folder = tempfile::Builder::new().prefix("hublease-peers-cluster-").tempdir().unwrap();
        let authorities = sandbox.ca_pem().to_owned() + &fs::read_to_string(server.authority()).unwrap();
        fs::write(folder.path().join("authorities.pem"), authorities).unwrap();
        let cluster = Self { sandbox, server, folder };
        cluster.populate();
        cluster
    }

    fn populate(&self) {
        let identity = self.sandbox.issuer().identity();
        let (namespace, account) = (&identity.namespace, &identity.service_account);
        self.server.operate(&["create", "namespace", namespace]);
        for account in [account, "other"] {
            self.server.operate(&["--namespace", namespace, "create", "serviceaccount", account]);
        }
        self.server
            .make("/api/v1/nodes", &json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "node-1" } }));
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": POD },
            "spec": {
                "serviceAccountName": account, "nodeName": "node-1",
                "containers": [{ "name": "publish", "image": "acme/app" }],
            },
        });
        self.server.make(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
    }

    /// What `kubectl create token` gives for an account of the namespace.
    #[track_caller]
    pub fn token(&self, account: &str, words: &[&str]) -> String {
        let namespace = self.sandbox.issuer().identity().namespace;
        let token =
            self.server.operate(&[&["--namespace", &namespace, "create", "token", account][..], words].concat());
        token.trim().to_owned()
    }

    /// What the kubelet projects into the pod, but for who asks for it.
    pub fn projected(&self) -> String {
        let account = self.sandbox.issuer().identity().service_account;
        let bound = ["--bound-object-kind", "Pod", "--bound-object-name", POD];
        self.token(&account, &[&bound[..], &["--audience", BROKER, "--duration", "1h"]].concat())
    }

    /// A token of the cluster as it is, to be changed and signed with the cluster's key again.
    pub fn again(&self, token: &str) -> TokenBuilder {
        let [header, claims] = [0, 1].map(|part| decoded(token, part));
        let members = |value: &Value| value.as_object().unwrap().clone();
        // Every member of its own is written over.
        let ours = self.sandbox.issuer().kubernetes();
        let named = members(&header).into_iter().fold(ours, |token, (name, value)| token.header(&name, value));
        members(&claims).into_iter().fold(named, |token, (name, value)| token.claim(&name, value))
    }

    /// Lets everybody read the cluster's keys, as the broker's template says.
    pub fn publish_keys(&self) {
        let role = ["--clusterrole", "system:service-account-issuer-discovery", "--group", "system:unauthenticated"];
        self.server.operate(&[&["create", "clusterrolebinding", "keys-are-public"][..], &role].concat());
    }

    /// What the broker needs to reach the cluster as well: its authority, and no proxy before it.
    pub fn environment(&self) -> Vec<(String, String)> {
        let authorities = self.folder.path().join("authorities.pem").display().to_string();
        vec![("SSL_CERT_FILE".to_owned(), authorities), ("NO_PROXY".to_owned(), "localhost".to_owned())]
    }

    /// Writes a file; its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// `hublease-broker` as its operator runs it.
    pub fn broker(&self, words: &[&str], input: &str) -> Outcome {
        let file = self.write("input", input);
        let mut command = Command::new(std::env::var_os("HUBLEASE_BROKER_BIN").unwrap());
        command.args(words).env_clear().envs(self.sandbox.environment()).envs(self.environment());
        command.stdin(Stdio::from(fs::File::open(file).unwrap()));
        Outcome::of(&command.output().unwrap())
    }
}

/// The one pod, named as the sandbox's is.
pub const POD: &str = "publish-7xk2p";

/// A part of a token: 0 is its header, 1 its claims.
pub fn decoded(token: &str, part: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(part).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

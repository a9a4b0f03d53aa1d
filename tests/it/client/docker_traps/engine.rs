//! An engine that answers would log in by itself, past the proxy; it must not be asked where none is meant.
//!
//! The counterpart is proven first: docker asks the engine of its context when nothing tells it otherwise.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use hublease_protocol::hex;
use sha2::{Digest, Sha256};

use crate::client::docker_traps::{docker_with, login, logs_out, token_requests, world};
use crate::support::World;

/// Answers every request as an engine that lets everybody in, and counts.
struct Engine {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Engine {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        // Ends with the test process; nothing of it is shared.
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let body = r#"{"Status":"Login Succeeded","IdentityToken":"","Version":"28.2.2","ApiVersion":"1.50","OSType":"linux"}"#;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nApi-Version: 1.50\r\nOstype: linux\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.read(&mut [0; 8192]);
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Makes the engine the user's current context, as `docker context create` and `docker context use` do.
fn use_context(world: &World, engine: &Engine) {
    // Docker names a context's directory by the SHA-256 of its name.
    const FAKE: &str = "fake";
    let digest = hex::lower(&Sha256::digest(FAKE));
    let folder = world.home().join(".docker/contexts/meta").join(digest);
    fs::create_dir_all(&folder).unwrap();
    let endpoint = serde_json::json!({"Host": format!("tcp://{}", engine.address), "SkipTLSVerify": false});
    let meta = serde_json::json!({"Name": FAKE, "Metadata": {}, "Endpoints": {"docker": endpoint}});
    fs::write(folder.join("meta.json"), meta.to_string()).unwrap();
    world.write_config(r#"{"auths":{"ghcr.io":{}},"currentContext":"fake"}"#);
}

#[test]
fn an_engine_that_answers_is_not_asked() {
    let (world, engine) = (world(), Engine::start());
    use_context(&world, &engine);
    let words = ["login", "--username", "acmebot", "--password-stdin"];
    docker_with(&world, &words, "not a secret", &[("DOCKER_HOST", "")]);
    assert!(engine.asked() > 0, "without DOCKER_HOST docker asks the engine of its context");
    assert_eq!(world.sandbox.log().len(), 0, "and nobody else");

    let world = self::world();
    use_context(&world, &engine);
    let (asked, before) = (engine.asked(), world.sandbox.live());
    for isolated in [false, true] {
        let run = login(&world);
        let outcome = if isolated { run.arg("--isolated") } else { run }.run().code(0);
        assert_eq!(token_requests(&outcome), 1);
        logs_out(&world, &before);
    }
    assert_eq!(engine.asked(), asked);
}

//! A secrets engine for Docker Hub, as a program that OpenBao starts: the tests' own stand-in for the one that is published.
//!
//! It answers as that one does where it matters: paths, fields, error texts, leases of five minutes, and the deletion that wants
//! status 202 and is given 204. Written for tests only. What it is told comes by the environment, which the server passes on:
//! `DOCKERHUB_PLUGIN_HUB`, the address of Docker Hub's API, and `DOCKERHUB_PLUGIN_FOLDER`, where its configuration is and how it takes
//! deletions.
//!
//! The protocol is go-plugin's: a line on standard output, then gRPC over HTTP/2 over TLS on a socket of ours. Only what the
//! server asks of such an engine is here.
#![expect(unreachable_pub, clippy::expect_used, reason = "a program of the tests")]

mod door;
mod engine;
mod grpc;
mod wire;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use prost::Message;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use self::engine::Engine;
use self::grpc::Reply;
use self::wire::{Existence, Flag, Handle, Handled, Number, Text};

/// What the server gives to whom it starts, so that nobody else starts it by mistake.
const COOKIE: (&str, &str) = ("VAULT_BACKEND_PLUGIN", "6669da05-b1c8-4f49-97d9-c8e5bed98e20");
/// Versions of go-plugin's own protocol and of the engines'.
const PROTOCOLS: &str = "1|5";
/// A secrets engine, among the kinds of plugins.
const SECRETS: u32 = 1;

fn main() -> ExitCode {
    if std::env::var(COOKIE.0).as_deref() != Ok(COOKIE.1) {
        complain("OpenBao starts this program");
        return ExitCode::FAILURE;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(serve()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&why.to_string());
            ExitCode::FAILURE
        }
    }
}

/// The server takes it for a line of the log.
fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Serves until the server says that it is enough, or is gone.
async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    // A terminal's Ctrl-C reaches the whole group, and the server still has to revoke through us.
    let mut interrupts = signal(SignalKind::interrupt())?;
    tokio::spawn(async move { while interrupts.recv().await.is_some() {} });
    let door = door::configure(&std::env::var("PLUGIN_CLIENT_CERT")?)?;
    let folder = std::env::var_os("PLUGIN_UNIX_SOCKET_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let socket = folder.join(format!("plugin-{}", std::process::id()));
    let listener = UnixListener::bind(&socket)?;
    let plugin = Arc::new(Plugin { engine: Engine::from_environment()?, over: Notify::new() });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{PROTOCOLS}|unix|{}|grpc|{}", socket.display(), STANDARD_NO_PAD.encode(&door.certificate))?;
    out.flush()?;
    drop(out);
    let acceptor = TlsAcceptor::from(Arc::clone(&door.server));
    let answering = async {
        while let Ok((connection, _)) = listener.accept().await {
            let (acceptor, plugin) = (acceptor.clone(), Arc::clone(&plugin));
            tokio::spawn(async move {
                match acceptor.accept(connection).await {
                    Ok(stream) => grpc::serve(stream, plugin).await,
                    Err(error) => complain(&format!("a connection without the server's certificate: {error}")),
                }
            });
        }
    };
    tokio::select! {
        () = answering => {}
        () = plugin.over.notified() => {}
    }
    std::fs::remove_file(&socket)?;
    Ok(())
}

/// What the server talks to.
struct Plugin {
    engine: Engine,
    over: Notify,
}

impl grpc::Calls for Plugin {
    async fn call(self: Arc<Self>, request: http::Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let (head, body) = request.into_parts();
        if head.uri.path() == "/plugin.GRPCBroker/StartStream" {
            // The way back to the server's storage is announced here, and not used. It is open for as long as the server wants us.
            let _open = grpc::open(&mut respond);
            grpc::drain(body).await;
            self.over.notify_one();
            return;
        }
        let reply = match grpc::only_message(body).await {
            Some(message) => Arc::clone(&self).answer(head.uri.path(), message).await,
            None => Reply::Unknown,
        };
        grpc::answer(respond, reply);
        if head.uri.path() == "/plugin.GRPCController/Shutdown" {
            self.over.notify_one();
        }
    }
}

impl Plugin {
    async fn answer(self: Arc<Self>, method: &str, message: Bytes) -> Reply {
        match method {
            "/pb.Backend/HandleRequest" => {
                let Ok(asked) = Handle::decode(message) else { return Reply::Unknown };
                let request = asked.request.unwrap_or_default();
                // It waits for Docker Hub.
                let handled = tokio::task::spawn_blocking(move || self.engine.handle(&request)).await;
                Reply::with(&handled.unwrap_or_else(|_panicked| Handled::failed("the engine ended")))
            }
            // Every write makes something new, as far as the policies go.
            "/pb.Backend/HandleExistenceCheck" => Reply::with(&Existence { check_found: true, exists: false }),
            "/pb.Backend/Type" => Reply::with(&Number { value: SECRETS }),
            "/pluginutil.multiplexing.PluginMultiplexing/MultiplexingSupport" => Reply::with(&Flag { value: true }),
            "/logical.PluginVersion/Version" => Reply::with(&Text { value: String::new() }),
            "/pb.Backend/Setup"
            | "/pb.Backend/Initialize"
            | "/pb.Backend/SpecialPaths"
            | "/pb.Backend/InvalidateKey"
            | "/pb.Backend/Cleanup"
            | "/plugin.GRPCController/Shutdown" => Reply::empty(),
            _ => Reply::Unknown,
        }
    }
}

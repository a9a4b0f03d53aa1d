//! The way to a provider: certificates, proxies, redirects, strange hosts, and servers that do not stop.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, thread};

use hublease_sandbox::{Action, Fault, KnownSecret, Service};

use super::finished::Finished;
use super::runner::Step;
use crate::action::REVOKED;
use crate::client::network::{
    EXEMPT, NOT_EXEMPT, REDIRECTED, REDIRECTS, UNUSABLE_PROXIES, proxy_with_password, unrelated,
};
use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;

const NOT_TRUSTED: &str = "the certificate of https://vault.example.com is not trusted";

/// A login at another address of the sandbox's Vault, with tokens for its own.
fn at<'w>(world: &'w World, address: &str) -> Step<'w> {
    let step = Step::new(world, Provider::Vault).input("vault-addr", address).input("client", "none");
    let step = step.input("audience", world.sandbox.vault_url()).input("audience-elsewhere", "true");
    // GitHub's own address has the sandbox's certificate, too, and is not what is tried here.
    step.env("ACTIONS_ID_TOKEN_REQUEST_URL", world.sandbox.identity_request_url())
}

fn at_vault(world: &World) -> Step<'_> {
    at(world, "https://vault.example.com")
}

#[track_caller]
fn works(world: &World, step: &Step<'_>) {
    let main = step.main().code(0);
    step.post(&main).code(0).says_only(REVOKED);
    assert_eq!(leased(world), Vec::<String>::new());
    assert_eq!(world.sandbox.unexpected(), [""; 0]);
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named_and_not_before() {
    let world = World::new();
    let path = unrelated(&world);
    let unrelated = fs::read_to_string(&path).unwrap();
    let own = world.sandbox.ca_file().display().to_string();
    let step = || at_vault(&world).env("SSL_CERT_FILE", &path);
    let off = || step().env("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    for step in
        [step(), step().input("ca-cert", &path), step().input("ca-cert", &unrelated), step().env("VAULT_CACERT", &path)]
    {
        let main = step.main().code(5).says(NOT_TRUSTED).says("hint: add the authority with `ca-cert`");
        assert_eq!(main.requests.len(), 1, "only the identity token was asked for");
    }
    // Node's own switch turns nothing off; it only makes Node complain on standard error.
    let main = off().start_main().wait_with_stderr();
    assert_eq!(main.code, 5);
    main.says(NOT_TRUSTED);
    works(&world, &step().input("ca-cert", &own));
    works(&world, &step().input("ca-cert", world.sandbox.ca_pem()));
    works(&world, &step().input("ca-cert", format!("{unrelated}\n# both\n{}", world.sandbox.ca_pem())));
    works(&world, &step().env("HUBLEASE_CA_CERT", &own));
    works(&world, &step().env("VAULT_CACERT", &own));
    works(&world, &at_vault(&world));
}

/// Vault's own variable says nothing about anybody else.
#[test]
fn vault_s_authority_is_trusted_for_vault_alone() {
    let world = World::new();
    let unrelated = unrelated(&world);
    let step = |provider| {
        let own = world.sandbox.ca_file().display().to_string();
        Step::new(&world, provider).env("VAULT_CACERT", own).env("SSL_CERT_FILE", &unrelated)
    };
    // GitHub's address is asked first, and is not Vault's.
    for provider in [Provider::Vault, Provider::Docker] {
        step(provider).main().code(3).says("the certificate of GitHub's identity endpoint is not trusted");
    }
}

#[test]
fn the_proxy_of_the_environment_is_used_and_never_for_this_machine() {
    let world = World::new();
    let proxy = world.sandbox.proxy_url();
    let bare = || at_vault(&world).without("HTTPS_PROXY");
    works(&world, &bare().env("https_proxy", &proxy));
    works(&world, &bare().env("HTTPS_PROXY", proxy.trim_start_matches("http://")));
    works(&world, &bare().env("HTTPS_PROXY", &proxy).env("https_proxy", "http://127.0.0.1:9"));
    works(&world, &bare().env("HTTPS_PROXY", proxy_with_password(&world)));
    let dead = UNUSABLE_PROXIES[0];
    let plain = at(&world, &world.sandbox.vault_url()).env("HTTPS_PROXY", dead).env("HTTP_PROXY", dead);
    works(&world, &plain.env("NODE_USE_ENV_PROXY", "1"));
    // The first of them tries four times, so they do it side by side.
    let running = UNUSABLE_PROXIES.map(|proxy| bare().env("HTTPS_PROXY", proxy).start_main());
    for main in running {
        main.wait().code(5).says("the proxy on the way to https://vault.example.com cannot be").says("HTTPS_PROXY");
    }
}

/// 0.0.0.0 is this machine, but not a loopback address: with the proxy it is the proxy that is asked, and refuses.
#[test]
fn no_proxy_is_honoured() {
    let world = World::new();
    let step = || at(&world, "https://0.0.0.0:9");
    let running = EXEMPT.map(|list| step().env("NO_PROXY", list).start_main());
    running.into_iter().for_each(|main| drop(main.wait().code(5).says("cannot be reached")));
    assert_eq!(world.sandbox.unexpected(), [""; 0]);
    step().env("NO_PROXY", NOT_EXEMPT).main().code(5).says("the proxy refuses the way to https://0.0.0.0:9");
    assert!(world.sandbox.unexpected().iter().any(|what| what.contains("0.0.0.0:9")));
}

#[test]
fn a_redirect_is_followed_nowhere_and_named() {
    let world = World::new();
    for (provider, service, path) in REDIRECTED {
        for (status, location, says) in REDIRECTS {
            let redirect = Action::Redirect(status, location.to_owned());
            world.sandbox.fault(Fault::on(service, path).always().then(redirect));
            let main = Step::new(&world, provider).main();
            assert_ne!(main.code, 0);
            main.says(says).does_not_say("INJECTED");
            world.sandbox.clear_faults();
        }
    }
    assert_eq!(world.sandbox.unexpected(), [""; 0]);
}

/// A server that passes everything on to the sandbox's Vault.
fn passing_on(listener: TcpListener, world: &World) {
    let vault: SocketAddr = world.sandbox.vault_url().trim_start_matches("http://").parse().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(vault).unwrap();
            for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
                thread::spawn(move || {
                    drop(std::io::copy(&mut from, &mut to));
                    drop(to.shutdown(Shutdown::Write));
                });
            }
        }
    });
}

#[test]
fn an_ipv6_literal_is_an_address_like_others() {
    let world = World::new();
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    passing_on(listener, &world);
    works(&world, &at(&world, &address));
}

#[test]
fn a_host_may_have_an_underscore() {
    let world = World::new();
    let url = world.sandbox.identity_request_url();
    let (address, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    world.sandbox.forward("my_ci.example.com", address.parse().unwrap());
    let step = Step::new(&world, Provider::Vault);
    let token = step.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN").to_owned();
    let known = world.sandbox.secrets().into_iter().find(|secret| secret.value == token).unwrap();
    world.sandbox.add_secret(KnownSecret { services: vec![Service::Forwarded], ..known });
    works(&world, &step.env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("https://my_ci.example.com/{path}")));
    assert_eq!(world.asked(Service::Forwarded).len(), 1);
}

/// A server that answers every request with this head, and then goes on and on with `piece`.
fn endless(head: &'static str, piece: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let _ = client.read(&mut [0; 4096]).unwrap();
            client.write_all(head.as_bytes()).unwrap();
            while counter.load(Ordering::SeqCst) < 1 << 30 && client.write_all(&piece).is_ok() {
                counter.fetch_add(piece.len(), Ordering::SeqCst);
            }
        }
    });
    (address, sent)
}

#[test]
fn a_body_of_a_gigabyte_is_refused_after_the_first_of_it() {
    let world = World::new();
    let mut piece = b"10000\r\n".to_vec();
    piece.extend(vec![b'x'; 0x10000]);
    piece.extend(b"\r\n");
    let body = vec![b'x'; 0x10000];
    for (head, piece) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n", body.clone()),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", piece),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", body),
        ("HTTP/1.1 200 OK\r\nx: ", vec![b'x'; 0x10000]),
    ] {
        let (address, sent) = endless(head, piece);
        at(&world, &address).main().code(5).says(&format!("the answer of {address} is larger than 1 MiB"));
        // What the two sockets hold between them is far below this.
        assert!(sent.load(Ordering::SeqCst) < 64 << 20, "{head}");
    }
}

/// It says something all the time, and would not come to an end. What it has minted meanwhile is taken back.
#[test]
fn a_server_that_is_too_slow_is_given_up() {
    let world = World::new();
    let slow = Action::Slow { bytes: 1, pause: Duration::from_millis(200) };
    world.sandbox.fault(Fault::on(Service::Vault, "/v1/dockerhub/").then(slow));
    let main = at(&world, &world.sandbox.vault_url()).main().code(0);
    assert!(main.stdout.contains("the answer was lost; what it may have made is revoked"), "{}", main.stdout);
    at(&world, &world.sandbox.vault_url()).post(&main).code(0);
    assert_eq!(leased(&world), Vec::<String>::new());
}

/// A proxy takes the connection and never answers: nothing was sent, so it is no slow answer.
#[test]
fn a_connection_that_does_not_come_about_is_given_up() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let main: Finished<'_> = at_vault(&world).env("HTTPS_PROXY", silent).main().code(5);
    main.says("the proxy on the way to https://vault.example.com cannot be reached")
        .says("no connection within 5 seconds");
    drop(listener);
}

#[test]
fn an_identity_token_file_is_read_once_it_is_there() {
    let world = World::new();
    let token = world.sandbox.issuer().github().audience(&world.sandbox.vault_url()).sign();
    let file = world.path("spare/identity-token");
    let step = || Step::new(&world, Provider::Vault).input("identity-token-file", file.display().to_string());
    let missing = step().main().code(3).says("no such file");
    assert!(missing.requests.is_empty());
    for (content, says) in
        [(String::new(), "it is empty"), ("x".repeat(16 * 1024 + 1), "it is larger than 16384 bytes")]
    {
        fs::write(&file, content).unwrap();
        step().main().code(3).says(says);
    }
    fs::write(&file, format!(" {token}\n")).unwrap();
    let main = step().main().code(0);
    step().post(&main).code(0);
    fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    let running = step().start_main();
    fs::write(Path::new(&file), &token).unwrap();
    let main = running.wait().code(0);
    step().post(&main).code(0);
    assert_eq!(leased(&world), Vec::<String>::new());
}

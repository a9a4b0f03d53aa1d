//! GitHub's side of a release: `github.com` redirects to the host that has the files, and that one gives them out. And a
//! mirror.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::support::{World, binary};

/// Where a release is, and where its files are.
const FRONT: &str = "github.com";
const FILES: &str = "release-assets.githubusercontent.com";
/// What the paths of the two begin with.
const RELEASE: &str = "/hublease/hublease/releases/download/v";
pub const ASSET: &str = "/asset/";

/// A server of somebody's own, with the files as GitHub names them.
const MIRROR: &str = "mirror.example.com";
pub const MIRROR_URL: &str = "https://mirror.example.com/hublease";
const MIRRORED: &str = "/hublease/v";

/// The target that there is a release for: this machine's.
pub fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// A server with one release in it; it ends with the value.
pub struct Releases {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Releases {
    /// Serves the static client that `cargo xtask test` built.
    pub fn start(world: &World) -> Self {
        let client = fs::read(binary("HUBLEASE_STATIC")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        [FRONT, FILES, MIRROR].iter().for_each(|host| world.sandbox.forward(host, address));
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away has its reasons.
                drop(serve(stream, &client));
            }
        });
        Self { address, ended, thread: Some(thread) }
    }
}

impl Drop for Releases {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn serve(stream: TcpStream, client: &[u8]) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("hublease-v{version}-{}", target());
    let asset = format!("{ASSET}{name}");
    let mut out = &stream;
    if path == format!("{RELEASE}{version}/{name}") {
        write!(out, "HTTP/1.1 302 Found\r\nlocation: https://{FILES}{asset}\r\ncontent-length: 0\r\n\r\n")
    } else if path == asset || path == format!("{MIRRORED}{version}/{name}") {
        write!(out, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", client.len())?;
        out.write_all(client)
    } else {
        write!(out, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
    }
}

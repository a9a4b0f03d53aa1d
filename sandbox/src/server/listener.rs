//! A listener on 127.0.0.1 with a thread per connection, stopped by closing everything.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::sync::lock;

/// Connections that one listener serves at a time; the sockets of a run-away client are refused beyond it.
const MAX_CONNECTIONS: usize = 512;

/// An accepting thread and the connections that it opened.
pub(crate) struct Listener {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    open: Mutex<HashMap<u64, TcpStream>>,
}

impl Listener {
    /// Listens on a free port and gives each connection to `serve` on a thread of its own.
    pub(crate) fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = {
            let shared = Arc::clone(&shared);
            let serve = Arc::new(serve);
            thread::Builder::new().name(format!("accept {address}")).spawn(move || accept(&socket, &shared, &serve))?
        };
        Ok(Self { address, shared, accepting: Some(accepting) })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; if even that fails there is nothing left to join.
        let woken = TcpStream::connect(self.address).is_ok();
        for stream in lock(&self.shared.open).values() {
            // A peer that has left already is as good.
            drop(stream.shutdown(Shutdown::Both));
        }
        if let Some(thread) = self.accepting.take().filter(|_| woken) {
            drop(thread.join());
        }
    }
}

fn accept<F: Fn(TcpStream) + Send + Sync + 'static>(socket: &TcpListener, shared: &Arc<Shared>, serve: &Arc<F>) {
    for (number, stream) in (0..).zip(socket.incoming()) {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let Ok(copy) = stream.try_clone() else {
            continue;
        };
        {
            let mut open = lock(&shared.open);
            if open.len() >= MAX_CONNECTIONS {
                continue;
            }
            open.insert(number, copy);
        }
        let (for_thread, serve) = (Arc::clone(shared), Arc::clone(serve));
        let spawned = thread::Builder::new().name("connection".to_owned()).spawn(move || {
            let closing = stream.try_clone();
            serve(stream);
            lock(&for_thread.open).remove(&number);
            // The copies are all gone or about to go; this makes the end visible to the peer at once.
            if let Ok(closing) = closing {
                drop(closing.shutdown(Shutdown::Both));
            }
        });
        if spawned.is_err() {
            lock(&shared.open).remove(&number);
        }
    }
}

//! One address of a server whose connections can come from elsewhere: a job behind another address at its second request.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Passes bytes on, both ways, until the process ends.
pub struct Relay {
    address: SocketAddr,
    to: Arc<Mutex<String>>,
}

impl Relay {
    /// Passes on to an origin, `http://HOST:PORT`.
    pub fn start(origin: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let to = Arc::new(Mutex::new(String::new()));
        let relay = Self { address, to: Arc::clone(&to) };
        relay.lead_to(origin);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let origin = to.lock().unwrap().clone();
                // A server that is gone is a connection that ends.
                let Ok(far) = TcpStream::connect(origin) else { continue };
                let (from_near, from_far) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                std::thread::spawn(move || pass(from_near, far));
                std::thread::spawn(move || pass(from_far, near));
            }
        });
        relay
    }

    /// From now on connections are passed to this origin.
    pub fn lead_to(&self, origin: &str) {
        *self.to.lock().unwrap() = origin.trim_start_matches("http://").to_owned();
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    // Either side may go at any time.
    io::copy(&mut from, &mut to).ok();
    to.shutdown(std::net::Shutdown::Both).ok();
}

//! The one small server: accept, read a request, run it, answer; plain on a listener, or inside TLS behind the CONNECT proxy.

mod authority;
mod connection;
mod listener;
mod proxy;

pub(crate) use self::authority::Authority;
pub(crate) use self::connection::serve_plain;
pub(crate) use self::listener::Listener;
pub(crate) use self::proxy::Proxy;

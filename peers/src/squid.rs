//! squid, the proxy that companies put between their machines and the internet: it opens tunnels and looks into none.

use std::net::SocketAddr;
use std::process::Command;

use crate::{Front, Peer, Source};

/// squid.
pub const PEER: Peer = Peer {
    name: "squid",
    version: "Debian's",
    source: Source::Debian { packages: &["squid"], program: &["/usr/sbin/squid"] },
    with: &[],
    touches: &["src/native/http", "sandbox/src/server", "peers/"],
    proves: "logins through a real CONNECT proxy, what is said when it refuses or is gone, and that the sandbox's answers as it does",
    quick: false,
};

/// Starts one that reaches everything through another proxy, but for hosts that it refuses.
#[must_use]
pub fn through(parent: SocketAddr, refused: &[&str]) -> Front {
    let refused: String = refused.iter().map(|host| format!("acl refused dstdomain {host}\n")).collect();
    let deny = if refused.is_empty() { "" } else { "http_access deny refused\n" };
    let configured = |directory: &std::path::Path, port: u16| {
        let path = |name: &str| directory.join(name).display().to_string();
        // Started by root it becomes somebody else, who writes the logs.
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(directory, everybody).unwrap_or_else(|error| panic!("squid: {error}"));
        format!(
            "http_port 127.0.0.1:{port}\npid_filename {}\naccess_log stdio:{}\ncache_log {}\ncache deny all\n\
             netdb_filename none\npinger_enable off\nshutdown_lifetime 0 seconds\ncoredump_dir {}\nacl https port 443\n{refused}{deny}http_access deny !https\nhttp_access allow localhost\n\
             cache_peer {} parent {} 0 no-query no-digest default\nnever_direct allow all\n",
            path("pid"),
            path("access.log"),
            path("cache.log"),
            directory.display(),
            parent.ip(),
            parent.port(),
        )
    };
    Front::start(PEER.name, configured, |_, configuration| {
        let mut command = Command::new(PEER.program());
        // By one process, which stays in the foreground and needs no shared memory.
        command.args(["-N", "-d", "1", "-f"]).arg(configuration);
        command
    })
}

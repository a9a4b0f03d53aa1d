//! nginx before the broker: it ends TLS, speaks HTTP/2 to clients, and names them as docs/operations.md says.

use std::net::SocketAddr;
use std::process::Command;

use crate::{Front, Peer, Source};

/// nginx.
pub const PEER: Peer = Peer {
    name: "nginx",
    version: "Debian's",
    source: Source::Debian { packages: &["nginx-light"], program: &["/usr/sbin/nginx"] },
    with: &[],
    touches: &["broker/src/edge", "broker/src/client_address", "docs/operations.md", "peers/"],
    proves: "the broker behind nginx sees each client's own address, over HTTP/2 too, and outlives cut requests",
    quick: false,
};

/// Starts one before a broker at this address.
#[must_use]
pub fn before(broker: SocketAddr) -> Front {
    let configured = |directory: &std::path::Path, port: u16| {
        let path = |name: &str| directory.join(name).display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("  {name}_temp_path {};\n", path(name)))
            .concat();
        format!(
            "daemon off;\nmaster_process off;\npid {};\nerror_log stderr;\nevents {{}}\nhttp {{\n  access_log {};\n{temporary}  \
             server {{\n    listen 127.0.0.1:{port} ssl http2;\n    server_name localhost;\n    ssl_certificate {};\n    \
             ssl_certificate_key {};\n    location / {{\n      proxy_pass http://{broker};\n      \
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n    }}\n  }}\n}}\n",
            path("pid"),
            path("access.log"),
            path("server/cert.pem"),
            path("server/key.pem"),
        )
    };
    Front::start(PEER.name, configured, |directory, configuration| {
        let mut command = Command::new(PEER.program());
        command.arg("-p").arg(directory).args(["-e", "stderr", "-c"]).arg(configuration);
        command
    })
}

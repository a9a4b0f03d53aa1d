//! Vault's interface at a real server.

use hublease_peers::openbao::OpenBao;

#[test]
fn one() {
    let bao = OpenBao::start(vec![]);
    assert_eq!(bao.read("sys/health")["initialized"], true);
}

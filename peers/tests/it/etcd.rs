//! The store by itself: what Kubernetes' API server stands on.

use hublease_peers::etcd::Etcd;

#[test]
fn it_comes_back_after_a_loss_of_power_with_what_it_held() {
    let mut store = Etcd::start();
    store.put("/one", "kept");
    store.lose_power();
    assert_eq!(store.get("/one").as_deref(), Some("kept"));
    assert_eq!(store.get("/two"), None);
}

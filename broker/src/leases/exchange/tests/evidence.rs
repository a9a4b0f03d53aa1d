//! Nothing is issued without its line in the audit log, and nothing that ends something waits for one.

use std::io::{Error, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hublease_protocol::oauth::{Code, Revocation};

use crate::client_address::Client;
use crate::leases::exchange::tests::circleci;
use crate::leases::revoke::revoke;
use crate::observe::audit::Audit;
use crate::testing::{CONFIG, World};

/// Standard output on a disk that is full from now on.
struct FullDisk(Arc<AtomicBool>);

impl Write for FullDisk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.load(Ordering::SeqCst) { Err(Error::from(ErrorKind::StorageFull)) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_ends_exchanges_before_they_mint_and_no_revocation() {
    let is_full = Arc::new(AtomicBool::new(false));
    let world = World::told_to(CONFIG, Audit::to(Box::new(FullDisk(Arc::clone(&is_full)))));
    let held = circleci(&world, "").ok().unwrap();
    is_full.store(true, Ordering::SeqCst);
    // The line of this refusal is the first that the disk does not take: it is kept, and tried again.
    assert!(circleci(&world, "x").is_err());
    while world.broker.audit.trouble().is_none() {
        std::thread::yield_now();
    }
    let calls = world.hub.calls().len();
    let codes: Vec<_> = (0..20).filter_map(|_| circleci(&world, "").err()).collect();
    assert_eq!((codes, world.hub.calls().len()), (vec![Code::Overloaded; 20], calls), "of 20, and nobody was asked");
    let handle = format!("token={}", held.revocation_handle.expose());
    assert_eq!(revoke(&world.broker, Client::ThisMachine, handle.as_bytes()), Ok(Revocation::Confirmed));
    assert_eq!(world.broker.audit.trouble(), Some("it cannot be written"));
    is_full.store(false, Ordering::SeqCst);
    world.broker.audit.settle();
    assert_eq!(world.broker.audit.trouble(), None);
    assert!(circleci(&world, "").is_ok(), "the disk has room again");
}

//! What is refused costs a call once, and what cannot be paid costs none.

use super::*;
use crate::limits::REFUSED_SECONDS;
use crate::testing::NOT_FOUND;

const REFUSED: HubError = HubError::Refused { status: 404 };

#[test]
fn a_scope_that_was_refused_is_not_asked_for_again_for_minutes() {
    let bench = Bench::new(PASSWORD);
    bench.hub.trouble(MINT, Trouble::Status(404, NOT_FOUND));
    let refused = (0..100).filter(|second| bench.mint(NOW + second) == Err(REFUSED)).count();
    assert_eq!((refused, bench.calls(MINT), bench.calls(LIST)), (100, 1, 1), "of 100 tries");
    assert_eq!(bench.mint_for("acme/other", NOW), Ok(()));
    assert_eq!(bench.mint(NOW + REFUSED_SECONDS), Ok(()), "somebody may have made the repository");
}

#[test]
fn what_is_not_docker_hubs_own_no_is_neither_remembered_nor_a_removal() {
    for (body, is_own) in [
        (NOT_FOUND, true),
        (r#"{"detail":"Not found."}"#, true),
        ("", false),
        ("<html><head><title>404 Not Found</title></head></html>", false),
        (r#"{"message":"no Route matched with those values"}"#, false),
    ] {
        let bench = Bench::new(PASSWORD);
        bench.hub.trouble(MINT, Trouble::Status(404, body));
        assert_eq!(bench.mint(NOW), Err(REFUSED), "{body}");
        let again = if is_own { Err(REFUSED) } else { Ok(()) };
        assert_eq!(bench.mint(NOW + 1), again, "{body}");
        bench.hub.trouble("DELETE", Trouble::Status(404, body));
        let removed = bench.client.delete("token-0001", &bench.hub, NOW + 1);
        assert_eq!(removed.is_ok(), is_own, "{body}");
        if !is_own {
            assert_eq!(removed, Err(HubError::unclear("a 404 came that is not its own")));
            assert_eq!(bench.client.delete("token-0001", &bench.hub, NOW + 2), Ok(()), "it was still there");
        }
    }
}

#[test]
fn the_quota_is_asked_for_once_in_its_time_unless_it_may_be_full() {
    let bench = Bench::new(PASSWORD);
    let refuse = |number: usize, second: u64| {
        bench.hub.trouble(MINT, Trouble::Status(404, NOT_FOUND));
        assert_eq!(bench.mint_for(&format!("acme/none-{number}"), NOW + second), Err(REFUSED));
    };
    for number in 0..50 {
        refuse(number, 0);
    }
    assert_eq!((bench.calls(MINT), bench.calls(LIST)), (50, 1), "of 50 scopes that do not exist");
    refuse(50, QUOTA_RETRY_SECONDS);
    assert_eq!(bench.calls(LIST), 2);
    // What was made since counts, so that a full quota is never taken for a refusal.
    for _ in 0..10 {
        assert_eq!(bench.mint(NOW + QUOTA_RETRY_SECONDS), Ok(()));
    }
    let full = bench.mint(NOW + QUOTA_RETRY_SECONDS);
    assert!(matches!(full, Err(HubError::QuotaFull { .. })), "{full:?}");
    assert_eq!(bench.calls(LIST), 3);
}

/// A purse with so many calls in it.
struct Coins(Mutex<u64>);

impl Purse for Coins {
    fn pay(&self, _: Option<u64>, _: u64) -> Result<(), u64> {
        let mut left = self.0.lock().unwrap();
        *left = left.checked_sub(1).ok_or(17_u64)?;
        Ok(())
    }
}

#[test]
fn what_cannot_be_paid_is_not_asked_and_is_nobody_elses_trouble() {
    for coins in [0, 1, 2] {
        let bench = Bench::new(PASSWORD);
        let order = Order {
            label: "hublease/test/1".to_owned(),
            scope: Scope::parse("repository:acme/app:pull").unwrap(),
            description: "of a test",
            expires_at: NOW + 900,
        };
        let minted = bench.client.mint(&order, &Coins(Mutex::new(coins)), &bench.hub, NOW).map(drop);
        // A login and a mint.
        let expected = if coins < 2 { Err(HubError::ShareSpent { retry_after: 17 }) } else { Ok(()) };
        assert_eq!((minted, bench.calls("") as u64, bench.client.trouble(NOW)), (expected, coins, None));
        assert_eq!(bench.mint(NOW), Ok(()), "somebody else pays his own");
        assert_eq!(bench.client.delete("token-0001", &bench.hub, NOW), Ok(()), "a removal costs nobody anything");
    }
}

//! Records as they may lie in the record directory, read the way `logout` reads them.

use std::cell::RefCell;
use std::rc::Rc;

use hublease::effect::record::{Access, Stored};
use hublease::effect::{Effect, Outcome, Session, Step};
use hublease::record::{Record, RecordStore};
use hublease_protocol::secret::Secret;

use super::{is_harmless, repeats};

/// A record that is accepted belongs to its name and stays the same when it is written again; of another nothing is repeated.
pub fn record(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let name = serde_json::from_str::<Record>(text).map_or_else(|_malformed| "0".repeat(64), |record| record.name());
    let Some(record) = read(&name, text) else { return };
    assert!(record.id.len() == 32 && record.id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(record.name(), name);
    let again = serde_json::to_string(&record).unwrap();
    assert_eq!(read(&name, &again), Some(record));
    assert_eq!(read(&"f".repeat(64), text), None);
}

fn read(name: &str, text: &str) -> Option<Record> {
    let found = Rc::new(RefCell::new(RecordStore::default()));
    let place = Rc::clone(&found);
    let mut session = Session::start(|host| async move {
        let shelf = RecordStore::read(&host, None).await?;
        place.replace(shelf);
        Ok(0)
    });
    let Step::Asked(asked) = session.step(None) else { panic!("the directory was not read") };
    assert_eq!(asked.effect, Effect::Record(Access::Read { first: None }));
    let stored = Stored { name: name.to_owned(), body: Ok(Secret::new(text)) };
    assert_eq!(session.step(Some(Outcome::Record(Ok(vec![stored])))), Step::Over(Ok(0)));
    let RecordStore { mut records, foreign } = found.take();
    assert_eq!(records.len() + foreign.len(), 1);
    for (file, why) in foreign {
        assert_eq!(file, name);
        assert!(is_harmless(&why) && !repeats(&why, text), "{why}");
    }
    records.pop()
}

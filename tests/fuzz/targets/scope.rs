//! Scopes, and single repository names.

use hublease_protocol::scope::{Action, MAX_NAME_BYTES, MAX_REPOSITORIES, MAX_TEXT_BYTES, Scope, check_repository};

/// The longest error: a sentence, and 60 characters of which each may be escaped.
const LONGEST_ERROR: usize = 100 + 60 * 10;

/// A scope that is accepted is its own spelling and allows nothing that was not asked for.
pub fn scope(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    match Scope::parse(text) {
        Ok(scope) => check(&scope, text),
        Err(error) => check_error(&error.to_string()),
    }
    match check_repository(text) {
        Ok(()) => {
            let scope = Scope::of([text], &[Action::Pull]).unwrap();
            assert_eq!(Scope::parse(&format!("repository:{text}:pull")).as_ref(), Ok(&scope));
            assert_eq!(scope.repositories().collect::<Vec<_>>(), [text]);
        }
        Err(error) => check_error(&error.to_string()),
    }
}

fn check(scope: &Scope, text: &str) {
    let shown = scope.to_string();
    assert!(shown.len() <= MAX_TEXT_BYTES);
    let again = Scope::parse(&shown);
    assert_eq!(again.as_ref(), Ok(scope));
    assert_eq!(again.unwrap().to_string(), shown);

    assert!((1..=MAX_REPOSITORIES).contains(&scope.repositories().count()));
    for repository in scope.repositories() {
        assert_eq!(check_repository(repository), Ok(()));
        assert!(repository.len() <= MAX_NAME_BYTES && text.contains(repository));
        assert!(!repository.contains(['*', ':', ' ', '\\', '%']) && !repository.contains(".."));
        assert!(repository.split('/').all(|part| !part.is_empty()));
        assert!(scope.actions(repository).count() > 0);
        assert!(scope.actions(repository).all(|action| text.contains(action.as_str())));
    }

    let implied = scope.with_implied();
    assert!(scope.covers(scope) && implied.covers(scope));
    assert_eq!(implied.with_implied(), implied);
    assert_eq!(implied.covers(scope) && scope.covers(&implied), implied == *scope);
    for action in Action::ALL {
        assert!(implied.allows_anywhere(action) || !scope.allows_anywhere(action));
    }
}

/// It goes into an `error_description`: printable ASCII without `"` and `\` (RFC 6749 appendix A.8).
fn check_error(error: &str) {
    assert!(error.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"\"\\".contains(&byte)), "{error}");
    assert!(error.len() <= LONGEST_ERROR, "{error}");
}

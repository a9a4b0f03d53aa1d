//! The GitHub Action's module as it was built: what it may do, what it does when it is told nonsense, and that it tells
//! the program's own story. `faults.rs` has the table of providers and faults.

use crate::support::module::{Code, Form};
use hublease_sandbox as _;

#[test]
fn figures() {
    for form in Form::ALL {
        let t = std::time::Instant::now();
        let code = Code::compile(form);
        eprintln!("{form:?} compile {:?} {:#?}", t.elapsed(), code.imports());
    }
}

//! `[[account.token]]`: the tokens of a pool, and how far its maker says that each reaches.

use super::super::reach::reach;
use super::super::{SpannedError, file, is_name, repeated};
use super::source;
use crate::account::pool::Lendable;

pub(super) fn tokens(account: &file::AccountTable) -> Result<Vec<Lendable>, SpannedError> {
    if account.token.is_empty() {
        return Err(SpannedError::at(account.kind.span(), "`kind = \"pool\"` needs at least one `[[account.token]]`"));
    }
    let names: Vec<_> = account.token.iter().map(|token| &token.name).collect();
    if let Some(blame) = repeated(&names) {
        return Err(blame);
    }
    account.token.iter().map(one).collect()
}

fn one(token: &file::TokenTable) -> Result<Lendable, SpannedError> {
    if !is_name(token.name.as_ref()) {
        return Err(SpannedError::at(token.name.span(), "a name is lower-case letters, digits and `-`"));
    }
    Ok(Lendable {
        name: token.name.as_ref().clone(),
        reach: reach(&token.repositories, &token.actions, token.public_pull, None)?,
        source: source::token(token)?,
    })
}

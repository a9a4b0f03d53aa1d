//! A file, such as a projected Kubernetes service account token. Read at each use, since it is rotated.

use hublease_protocol::secret::Secret;

use crate::effect::{Effect, Effects};
use crate::error::{Error, Problem};

/// Reads the file that the inputs name; white space around the token is cut by the host.
pub(super) async fn read(effects: &Effects) -> Result<Secret, Error> {
    effects.token(Effect::IdentityFile).await?.map_err(|why| Error::new(Problem::IdentityFile, "").because(&why))
}

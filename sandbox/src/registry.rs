//! Docker Hub's registry: the token server `auth.docker.io` and the front on `registry-1.docker.io` and `dhi.io`.

mod builtin;
mod front;
mod scope;
mod signer;
mod token;

pub(crate) use self::front::Registry;
pub(crate) use self::signer::Signer;
pub(crate) use self::token::RegistryAuth;

/// Life of a registry bearer, about that of Docker Hub's.
pub(crate) const BEARER_SECONDS: u64 = 300;
/// The service name in challenges and tokens.
const SERVICE: &str = "registry.docker.io";
/// The issuer of registry tokens.
const ISSUER: &str = "auth.docker.io";

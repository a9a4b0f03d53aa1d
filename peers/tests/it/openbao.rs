//! Vault's interface: one table of requests is played to the sandbox's stand-in and to a real OpenBao, and stories of logins and
//! logouts are told at the real one.

mod docker_hub;
mod documented;
mod key_value;
mod leases;
mod login;
mod namespaces;
mod plugin;
mod published;
mod refused;
mod roles;
mod server;
mod side;
mod stage;
mod standby;
mod tokens;
mod told;
mod twins;
mod undone;

//! The sandbox seen from outside: the real docker CLI, a real registry, and plain requests.

mod docker_cli;
mod support;

//! The targets as a library, so that each program of libFuzzer is one line.

#[path = "../../broker/tests"]
mod of_the_broker {
    pub mod fuzz;
}
pub mod targets;

pub use of_the_broker::fuzz as broker;

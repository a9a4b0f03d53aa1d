//! A local CircleCI: takes a config and a packed orb, checks both as CircleCI would, and runs the jobs.
mod check;
mod condition;
mod expand;
mod node;
mod parameters;
mod scope;
mod source;
mod step;
mod template;
mod workflow;
mod yaml;

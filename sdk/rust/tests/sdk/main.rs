//! The SDK against the real server, which each test process starts itself.

mod attempts;
mod client;
mod conformance;
mod crash;
mod drain;
mod example;
mod lease;
mod limits;
mod reconnect;
mod support;
mod tls;
mod watch;

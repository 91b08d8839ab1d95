//! Events between modules through NATS JetStream, in place of the relay's HTTP.
//!
//! The outbox stays the source: its relay hands events to a [`Broker::publisher`], and an event is
//! published there once the server has acknowledged it. At the other end a [`Broker::worker`] hands
//! them to the module that listens, and acknowledges what that module has committed. At least once,
//! in any order: the inbox of the consumer makes it once and in order (see [`kernel::inbox`]).

mod backlog;
mod broker;
mod consumer;
mod publisher;
mod topology;

pub use broker::{BadAddress, Broker};
pub use consumer::Listener;
pub use topology::{STREAM, subject};

//! What AWS's APIs look like, written down once for the client, the plan, `chaos` and the embedded AWS. Pure.
//!
//! The models are botocore's, packed by `just models` into one compressed file a service. They are part of the binary; one is
//! unpacked and read the first time that its service is asked for. Nothing here does I/O or knows of a client.
//!
//! | what | where |
//! |---|---|
//! | every service, and `service:Operation` by name | [`services`], [`service`], [`find`] |
//! | a service's model: operations, shapes, waiters, pages | [`Service`], [`Operation`], [`Shape`] |
//! | what an operation does, and what takes it back | [`effect`](fn@effect), [`undo_of`] |
//! | requests and responses, written and read, in every protocol | [`wire`] |
//! | where a service is | [`endpoint`] |
//! | what waiters and pages say of outputs | [`Waiter`], [`Pages`], [`query`] |
//! | which parts of a value are secret | [`secrets`] |
//! | how what is created is tagged | [`tags`] |
//! | whether a value is an input of an operation | [`validate`] |
//! | a request back into the members that it was serialised from | [`parameters`] |
//! | the regions there are | [`regions`] |
#![forbid(unsafe_code)]
#![warn(missing_docs)]
// What is asked of a model changes nothing: there is no reason to ask and not to use the answer.
#![allow(clippy::must_use_candidate)]

mod catalog;
mod effect;
pub mod endpoint;
pub mod parameters;
mod protocol;
pub mod query;
mod raw;
pub mod regions;
mod reserved;
pub mod secrets;
mod service;
mod shape;
pub mod tags;
mod text;
mod undo;
pub mod validate;
pub mod wire;

pub use catalog::{
    Entry, Found, SOURCES, Unknown, entry_of, find, nearest_services, service, services,
};
pub use effect::{Effect, effect};
pub use protocol::Protocol;
pub use reserved::is_reserved_word;
pub use service::{
    Acceptor, Checksum, Matcher, Metadata, ModelError, Next, Operation, Pages, Service, Waiter,
    WaiterState,
};
pub use shape::{
    ErrorTraits, Kind, Location, Member, Shape, ShapeId, Structure, TimestampFormat, Traits,
    XmlNamespace,
};
pub use undo::{Filling, Origin, Place, Root, Undo, UndoRead, undo_of};

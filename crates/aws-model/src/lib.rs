//! What AWS's APIs look like: operations, shapes, protocols in both directions, waiters, pages, undo.
//!
//! The models are botocore's, packed by `just models` into one compressed file a service. They are part of the binary; one is
//! unpacked and read the first time that its service is asked for. Nothing here does I/O or knows of a client.

mod catalog;
mod effect;
mod protocol;
mod raw;
mod service;
mod shape;
mod text;
mod undo;
pub mod validate;
pub mod wire;

pub use catalog::{
    Entry, Found, SOURCES, Unknown, entry_of, find, nearest_services, service, services,
};
pub use effect::{Effect, effect};
pub use protocol::Protocol;
pub use service::{
    Acceptor, Checksum, Matcher, Metadata, ModelError, Operation, Pages, Service, Waiter,
    WaiterState,
};
pub use shape::{
    ErrorTraits, Kind, Location, Member, Shape, ShapeId, Structure, TimestampFormat, Traits,
    XmlNamespace,
};
pub use undo::{Filling, Origin, Place, Root, Undo, UndoRead, undo_of};

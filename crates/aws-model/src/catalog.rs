//! Every service there is, and how to find one of its operations by name.

mod find;

use std::io;
use std::sync::OnceLock;

use flate2::{Decompress, FlushDecompress, Status};

use crate::service::Service;

#[path = "entries.rs"]
mod entries;

pub use entries::SOURCES;
pub use find::{Found, Unknown, find, nearest_services};

/// A service that there is a model of. Knowing this much of it reads nothing.
#[derive(Debug)]
pub struct Entry {
    /// Its name, as in `sqs:CreateQueue`.
    pub name: &'static str,
    /// `SQS`: what the SDKs call it.
    pub service_id: &'static str,
    /// Its command of the AWS CLI.
    pub cli_name: &'static str,
    /// `Amazon Simple Queue Service`.
    pub full_name: &'static str,
    /// The first label of its hosts.
    pub endpoint_prefix: &'static str,
    /// What signatures are made for; nearly always the prefix of its IAM actions too.
    pub signing_name: &'static str,
    /// The version of its API.
    pub api_version: &'static str,
    /// Every protocol it understands, the best one first, as the model calls them.
    pub protocols: &'static [&'static str],
    /// Which endpoint rules it has.
    pub(crate) rules: usize,
    size: usize,
    packed: &'static [u8],
    read: OnceLock<Service>,
}

impl Entry {
    /// Its model, read the first time that it is asked for.
    pub fn service(&'static self) -> &'static Service {
        self.read.get_or_init(|| {
            let model = unpack(self.packed, self.size).expect("the packed models are whole");
            Service::from_json(self.name, model.leak()).expect("the packed models are models")
        })
    }
}

macro_rules! entry {
    (
        $name:literal, $service_id:literal, $cli_name:literal, $full_name:literal, $endpoint_prefix:literal, $signing_name:literal,
        $api_version:literal, $protocols:expr, $rules:literal, $size:literal, $file:literal
    ) => {
        Entry {
            name: $name,
            service_id: $service_id,
            cli_name: $cli_name,
            full_name: $full_name,
            endpoint_prefix: $endpoint_prefix,
            signing_name: $signing_name,
            api_version: $api_version,
            protocols: $protocols,
            rules: $rules,
            size: $size,
            packed: include_bytes!(concat!("../data/services/", $file)),
            read: std::sync::OnceLock::new(),
        }
    };
}
use entry;

/// Every service, by name.
pub fn services() -> &'static [Entry] {
    &entries::ENTRIES
}

/// The service of that name.
pub fn entry_of(name: &str) -> Option<&'static Entry> {
    let place = services().binary_search_by(|entry| entry.name.cmp(name)).ok()?;
    Some(&services()[place])
}

/// The model of the service of that name.
pub fn service(name: &str) -> Option<&'static Service> {
    entry_of(name).map(Entry::service)
}

/// The text of a packed file.
pub(crate) fn unpack(packed: &[u8], size: usize) -> io::Result<String> {
    let mut unpacked = Vec::with_capacity(size.max(1 << 10));
    let mut stream = Decompress::new(true);
    loop {
        let read = usize::try_from(stream.total_in()).map_err(io::Error::other)?;
        match stream.decompress_vec(&packed[read..], &mut unpacked, FlushDecompress::Finish)? {
            Status::StreamEnd => break,
            Status::Ok | Status::BufError if unpacked.len() == unpacked.capacity() => {
                unpacked.reserve(unpacked.capacity());
            }
            Status::Ok | Status::BufError => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
    String::from_utf8(unpacked).map_err(io::Error::other)
}

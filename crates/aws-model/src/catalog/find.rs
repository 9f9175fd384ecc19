//! `sqs:CreateQueue`, found or the nearest to it named.

use std::sync::OnceLock;

use super::{Entry, entry_of, services, unpack};
use crate::service::{Operation, Service};

/// An operation, with its service.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// The service.
    pub service: &'static Service,
    /// Its operation.
    pub operation: &'static Operation,
}

/// Why there is no operation of a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// It does not look like one.
    #[error("`{name}` is not `service:Operation`")]
    Form {
        /// What was asked for.
        name: String,
    },
    /// There is no such service.
    #[error("unknown AWS service `{service}`")]
    Service {
        /// What stood before the colon.
        service: String,
        /// What may have been meant, as `service:Operation`, best first.
        candidates: Vec<String>,
    },
    /// The service has no such operation.
    #[error("`{service}` has no operation `{operation}`")]
    Operation {
        /// The service.
        service: &'static str,
        /// What stood behind the colon.
        operation: String,
        /// What may have been meant, as `service:Operation`, best first.
        candidates: Vec<String>,
    },
}

impl Unknown {
    /// What may have been meant, as `service:Operation`, best first.
    pub fn candidates(&self) -> &[String] {
        match self {
            Self::Form { .. } => &[],
            Self::Service { candidates, .. } | Self::Operation { candidates, .. } => candidates,
        }
    }
}

/// The operation that `service:Operation` names.
pub fn find(name: &str) -> Result<Found, Unknown> {
    let Some((service, operation)) = name
        .split_once(':')
        .filter(|(service, operation)| !service.is_empty() && !operation.is_empty())
    else {
        return Err(Unknown::Form { name: name.to_owned() });
    };
    let Some(entry) = entry_of(service) else {
        return Err(Unknown::Service {
            service: service.to_owned(),
            candidates: candidates(service, operation),
        });
    };
    let model = entry.service();
    model.operation(operation).map(|operation| Found { service: model, operation }).ok_or_else(
        || Unknown::Operation {
            service: entry.name,
            operation: operation.to_owned(),
            candidates: candidates(service, operation),
        },
    )
}

/// The names of all operations of all services.
fn all() -> &'static [(&'static Entry, Vec<&'static str>)] {
    static ALL: OnceLock<Vec<(&'static Entry, Vec<&'static str>)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let text: &'static str = unpack(include_bytes!("../../data/operations.z"), 1 << 19)
            .expect("the packed names are whole")
            .leak();
        text.lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                Some((entry_of(words.next()?)?, words.collect()))
            })
            .collect()
    })
}

/// How far a name is from what was written; nothing where it is too far to be what was meant.
fn distance(written: &str, name: &str) -> Option<usize> {
    let (written, name) = (plain(written), plain(name));
    let allowed = (written.len().min(name.len()) / 4).max(1);
    if written.len().abs_diff(name.len()) > allowed {
        return None;
    }
    Some(strsim::damerau_levenshtein(&written, &name)).filter(|distance| *distance <= allowed)
}

/// A name without what people write in different ways.
fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// How far a service is from what was written: by its own name, or by another name that people know it by.
fn service_distance(written: &str, entry: &Entry) -> Option<usize> {
    let others = [entry.signing_name, entry.endpoint_prefix, entry.service_id, entry.cli_name];
    if written == entry.name {
        return Some(0);
    }
    let other =
        others.iter().filter_map(|name| distance(written, name)).map(|distance| distance + 1).min();
    distance(written, entry.name).into_iter().chain(other).min()
}

/// What may have been meant: near in both names first, then the same operation of another service.
fn candidates(service: &str, operation: &str) -> Vec<String> {
    const MOST: usize = 3;
    /// An operation of a service that is not the one written ranks behind all of those that are.
    const ELSEWHERE: usize = 100;
    let mut near: Vec<(usize, String)> = Vec::new();
    for (entry, operations) in all() {
        let here = service_distance(service, entry);
        for name in operations {
            let far = match here {
                Some(here) => distance(operation, name).map(|far| far + 2 * here),
                None if plain(name) == plain(operation) => Some(ELSEWHERE),
                None => None,
            };
            if let Some(far) = far {
                near.push((far, format!("{}:{name}", entry.name)));
            }
        }
    }
    near.sort();
    let elsewhere = near.iter().filter(|(far, _)| *far >= ELSEWHERE).count();
    if elsewhere > MOST {
        near.retain(|(far, _)| *far < ELSEWHERE);
    }
    near.truncate(MOST);
    near.into_iter().map(|(_, name)| name).collect()
}

/// The services whose names are near to one, best first.
pub fn nearest_services(written: &str) -> Vec<&'static str> {
    let mut near: Vec<_> = services()
        .iter()
        .filter_map(|entry| service_distance(written, entry).map(|distance| (distance, entry.name)))
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

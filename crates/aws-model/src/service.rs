//! A service's model, read from its file.

mod pages;
mod reader;
mod waiter;

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::protocol::Protocol;
use crate::raw::RawService;
use crate::shape::{Kind, Member, Shape, ShapeId, Structure, XmlNamespace};
use crate::undo::Undo;

pub use pages::Next;

/// Why a model could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Its text is not what a model is written like.
    #[error("the model of {service} cannot be read: {source}")]
    Text {
        /// The service.
        service: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
    /// It refers to a shape that it does not have.
    #[error("the model of {service} has no shape {shape}")]
    Shape {
        /// The service.
        service: &'static str,
        /// The shape.
        shape: &'static str,
    },
    /// It says something that this reader does not know.
    #[error("the model of {service} says {what}, which is not known here")]
    Unknown {
        /// The service.
        service: &'static str,
        /// What it says.
        what: String,
    },
}

/// The model of one service.
#[derive(Debug)]
pub struct Service {
    /// Its name, as in `sqs:CreateQueue`.
    pub name: &'static str,
    /// What it says of itself.
    pub metadata: Metadata,
    /// Its operations, by name.
    pub operations: Vec<Operation>,
    /// Its waiters, by name.
    pub waiters: Vec<Waiter>,
    shapes: Vec<Shape>,
    names: HashMap<&'static str, ShapeId>,
}

/// What a service says of itself.
#[derive(Debug)]
pub struct Metadata {
    /// The version of its API.
    pub api_version: &'static str,
    /// The first label of its hosts.
    pub endpoint_prefix: &'static str,
    /// The one host of a service that has no regions.
    pub global_endpoint: Option<&'static str>,
    /// `1.0` or `1.1`, of the JSON protocol.
    pub json_version: &'static str,
    /// How its requests are written.
    pub protocol: Protocol,
    /// Every protocol it understands, the best one first.
    pub protocols: Vec<Protocol>,
    /// `Amazon Simple Queue Service`.
    pub full_name: &'static str,
    /// `SQS`.
    pub service_id: &'static str,
    /// `v4` nearly everywhere.
    pub signature_version: &'static str,
    /// What signatures are made for.
    pub signing_name: &'static str,
    /// Ways to authenticate, the best one first.
    pub auth: Vec<&'static str>,
    /// What stands before an operation's name in `X-Amz-Target`.
    pub target_prefix: &'static str,
    /// The namespace of its XML.
    pub xml_namespace: Option<XmlNamespace>,
    /// It spoke the query protocol once, and still says that protocol's error codes.
    pub query_compatible: bool,
    /// Settings of a client that its endpoint rules ask for.
    pub client_context_params: Map<String, Value>,
}

/// An operation.
#[derive(Debug)]
pub struct Operation {
    /// Its name.
    pub name: &'static str,
    /// The method of its request.
    pub method: &'static str,
    /// The template of its path and query.
    pub uri: &'static str,
    /// The status of its response.
    pub response_code: u16,
    /// Its input, a structure.
    pub input: Option<Member>,
    /// Its output, a structure.
    pub output: Option<Member>,
    /// The element around its output, in the query protocol.
    pub result_wrapper: Option<&'static str>,
    /// The errors it may end with.
    pub errors: Vec<ShapeId>,
    /// What stands before the host, with labels from the input.
    pub host_prefix: Option<&'static str>,
    /// It is called without a signature.
    pub unsigned: bool,
    /// The body is left out of its signature.
    pub unsigned_payload: bool,
    /// Its own ways to authenticate, in place of the service's.
    pub auth: Vec<&'static str>,
    /// Its request needs the checksum of its body.
    pub checksum_required: bool,
    /// Which checksums it knows.
    pub checksum: Option<Checksum>,
    /// The encodings in which its body may be compressed.
    pub compression: Vec<&'static str>,
    /// Calling it twice does what calling it once does.
    pub idempotent: bool,
    /// The model says that it changes nothing.
    pub readonly: bool,
    /// It is about to go.
    pub deprecated: bool,
    /// Its endpoint is asked for first; whether it must be.
    pub endpoint_discovery: Option<bool>,
    /// Parameters of the endpoint rules that it sets.
    pub static_context_params: Map<String, Value>,
    /// Parameters of the endpoint rules that come from its input, by expression.
    pub operation_context_params: Map<String, Value>,
    /// How its pages are asked for.
    pub pages: Option<Pages>,
    /// What takes back what it makes.
    pub undo: Option<Undo>,
}

/// Checksums of an operation.
#[derive(Debug, Clone)]
pub struct Checksum {
    /// The member that names the algorithm of the request's checksum.
    pub algorithm_member: Option<&'static str>,
    /// The request must have one.
    pub required: bool,
    /// The member that asks for the response's checksum.
    pub validation_member: Option<&'static str>,
    /// The algorithms that a response may be checked with.
    pub response_algorithms: Vec<&'static str>,
}

/// How the pages of an operation are asked for. Keys are JMESPath expressions.
#[derive(Debug, Clone)]
pub struct Pages {
    /// The members of the input that say where the next page begins.
    pub input_tokens: Vec<&'static str>,
    /// Where the output says it.
    pub output_tokens: Vec<&'static str>,
    /// What is joined over the pages; the first is what there is one of a line.
    pub result_keys: Vec<&'static str>,
    /// What is the same on every page.
    pub non_aggregate_keys: Vec<&'static str>,
    /// The member of the input that bounds a page.
    pub limit_key: Option<&'static str>,
    /// Where the output says whether there is more.
    pub more_results: Option<&'static str>,
}

/// How to wait until a resource is in some state.
#[derive(Debug, Clone)]
pub struct Waiter {
    /// Its name.
    pub name: &'static str,
    /// The operation that is called again and again.
    pub operation: &'static str,
    /// Seconds between calls.
    pub delay: u32,
    /// How many calls at most.
    pub max_attempts: u32,
    /// What its answers mean, the first that holds.
    pub acceptors: Vec<Acceptor>,
}

/// What an answer means to a waiter.
#[derive(Debug, Clone)]
pub struct Acceptor {
    /// What then.
    pub state: WaiterState,
    /// How the answer is looked at.
    pub matcher: Matcher,
    /// The JMESPath expression of what is looked at.
    pub argument: Option<&'static str>,
    /// What it has to be.
    pub expected: Value,
}

/// What becomes of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaiterState {
    /// It is over.
    Success,
    /// It can no more come true.
    Failure,
    /// It goes on.
    Retry,
}

/// How a waiter looks at an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matcher {
    /// The argument is what is expected.
    Path,
    /// The argument is a list, not empty, and all of it is what is expected.
    PathAll,
    /// The argument is a list with one thing that is what is expected.
    PathAny,
    /// The status of the response.
    Status,
    /// The code of the error; or whether there is one.
    Error,
}

impl Service {
    /// Reads a model in botocore's spelling, with or without its prose.
    pub fn from_json(name: &'static str, model: &'static str) -> Result<Self, ModelError> {
        let raw: RawService = serde_json::from_str(model)
            .map_err(|source| ModelError::Text { service: name, source })?;
        reader::Reader::new(name, &raw).read(raw)
    }

    /// The shape of that place.
    pub fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0 as usize]
    }

    /// The shape of a member.
    pub fn shape_of(&self, member: &Member) -> &Shape {
        self.shape(member.shape)
    }

    /// The structure that a member is, where it is one.
    pub fn structure_of(&self, member: &Member) -> Option<&Structure> {
        match &self.shape_of(member).kind {
            Kind::Structure(structure) => Some(structure),
            _ => None,
        }
    }

    /// The shape of that name.
    pub fn shape_named(&self, name: &str) -> Option<&Shape> {
        self.names.get(name).map(|id| self.shape(*id))
    }

    /// All shapes, in the order of the model.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The operation of that name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        let place = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        Some(&self.operations[place])
    }

    /// The waiter of that name.
    pub fn waiter(&self, name: &str) -> Option<&Waiter> {
        self.waiters.iter().find(|waiter| waiter.name == name)
    }

    /// The members of an operation's input.
    pub fn input_of(&self, operation: &Operation) -> &[Member] {
        operation
            .input
            .as_ref()
            .and_then(|input| self.structure_of(input))
            .map_or(&[], |structure| &structure.members)
    }

    /// The members of an operation's output.
    pub fn output_of(&self, operation: &Operation) -> &[Member] {
        operation
            .output
            .as_ref()
            .and_then(|output| self.structure_of(output))
            .map_or(&[], |structure| &structure.members)
    }

    /// The member of an operation's input or output that is a stream of events.
    pub fn event_stream_of(&self, root: Option<&Member>) -> Option<&Member> {
        self.structure_of(root?)?.members.iter().find(|member| member.traits.event_stream)
    }

    /// The shape of the error with that code, among the operation's own first.
    pub fn error(&self, operation: &Operation, code: &str) -> Option<(ShapeId, &Shape)> {
        let has = |id: ShapeId| {
            let shape = self.shape(id);
            let Kind::Structure(Structure { error: Some(error), .. }) = &shape.kind else {
                return false;
            };
            error.code.unwrap_or(shape.name) == code || shape.name == code
        };
        let own = operation.errors.iter().copied().find(|id| has(*id));
        own.or_else(|| (0..self.shapes.len()).map(reader::id_of).find(|id| has(*id)))
            .map(|id| (id, self.shape(id)))
    }
}

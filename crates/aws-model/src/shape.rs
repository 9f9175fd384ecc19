//! Shapes: what the input, the output and the errors of operations are made of.

use serde_json::Number;

/// A shape of a service, by its place in [`Service`](crate::Service).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShapeId(pub(crate) u32);

/// A type of a service's model.
#[derive(Debug)]
pub struct Shape {
    /// Its name in the model.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its traits, where no member overrides them.
    pub traits: Traits,
    /// Least length of a text or list, least value of a number.
    pub min: Option<Number>,
    /// Greatest length of a text or list, greatest value of a number.
    pub max: Option<Number>,
    /// The regular expression that a text matches.
    pub pattern: Option<&'static str>,
    /// The values that a text may have; empty where it may have any.
    pub enumeration: Vec<&'static str>,
}

/// What a shape is.
#[derive(Debug)]
pub enum Kind {
    /// Named members.
    Structure(Structure),
    /// Any number of one kind of thing.
    List(Member),
    /// Texts to one kind of thing: key and value.
    Map(Box<(Member, Member)>),
    /// A text.
    String,
    /// A number without decimals, 32 bits.
    Integer,
    /// A number without decimals, 64 bits.
    Long,
    /// A number with decimals, 32 bits.
    Float,
    /// A number with decimals, 64 bits.
    Double,
    /// True or false.
    Boolean,
    /// Bytes; as a value, base64.
    Blob,
    /// A moment; as a value, RFC 3339 text or seconds since 1970.
    Timestamp,
}

impl Kind {
    /// The word for it, as in "expected a list".
    pub fn word(&self) -> &'static str {
        match self {
            Self::Structure(structure) if structure.document => "any value",
            Self::Structure(_) => "a map",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::String => "a text",
            Self::Integer | Self::Long => "an integer",
            Self::Float | Self::Double => "a number",
            Self::Boolean => "true or false",
            Self::Blob => "bytes as base64",
            Self::Timestamp => "a timestamp",
        }
    }
}

/// A shape with named members.
#[derive(Debug, Default)]
pub struct Structure {
    /// Its members, in the order of the model.
    pub members: Vec<Member>,
    /// The member that is the whole body.
    pub payload: Option<&'static str>,
    /// Exactly one member is set.
    pub union: bool,
    /// Any value at all.
    pub document: bool,
    /// What it says as an error, where it is one.
    pub error: Option<ErrorTraits>,
}

impl Structure {
    /// The member of that name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The member that is the whole body.
    pub fn payload_member(&self) -> Option<&Member> {
        self.payload.and_then(|name| self.member(name))
    }
}

/// What the model says of an error.
#[derive(Debug, Clone, Default)]
pub struct ErrorTraits {
    /// The code on the wire, where it is not the shape's name.
    pub code: Option<&'static str>,
    /// The status of its response.
    pub status: Option<u16>,
    /// The caller is at fault.
    pub sender_fault: bool,
    /// The service is at fault.
    pub fault: bool,
    /// It may go away by itself.
    pub retryable: bool,
    /// It says that there were too many calls.
    pub throttling: bool,
}

/// A member of a structure, the element of a list, the key or value of a map.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name; empty for elements, keys and values.
    pub name: &'static str,
    /// Its shape.
    pub shape: ShapeId,
    /// It must be given.
    pub required: bool,
    /// Its own traits, and its shape's where it has none.
    pub traits: Traits,
}

impl Member {
    /// Its name on the wire.
    pub fn wire_name(&self) -> &'static str {
        self.traits.location_name.unwrap_or(self.name)
    }
}

/// Where in a request or response a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// A label of the path.
    Uri,
    /// The query.
    QueryString,
    /// A header.
    Header,
    /// All headers that begin with its name.
    Headers,
    /// The status of the response.
    StatusCode,
}

/// How a timestamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `2015-01-25T08:00:00Z`.
    Iso8601,
    /// Seconds since 1970.
    Unix,
    /// `Sun, 25 Jan 2015 08:00:00 GMT`.
    Rfc822,
}

/// An XML namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XmlNamespace {
    /// Its prefix, where it is not the default one.
    pub prefix: Option<&'static str>,
    /// Its name.
    pub uri: &'static str,
}

/// What is said of a shape, or of a member in its shape's place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traits {
    /// Where it stands, if not in the body.
    pub location: Option<Location>,
    /// Its name on the wire.
    pub location_name: Option<&'static str>,
    /// How it is written as a timestamp.
    pub timestamp_format: Option<TimestampFormat>,
    /// What hardly any member has, apart, because there are tens of thousands of them.
    pub(crate) rare: Option<&'static RareTraits>,
    /// It is secret.
    pub sensitive: bool,
    /// It makes a repeated call harmless; a client fills it where it is missing.
    pub idempotency_token: bool,
    /// It is a body that may be long.
    pub streaming: bool,
    /// It is JSON in a header, as base64.
    pub json_value: bool,
    /// Its elements stand without an element around them.
    pub flattened: bool,
    /// It may be absent, and then is nothing.
    pub boxed: bool,
    /// It is an attribute of the element around it.
    pub xml_attribute: bool,
    /// It is a label of the host name.
    pub host_label: bool,
    /// It is a stream of events.
    pub event_stream: bool,
    /// It is an event.
    pub event: bool,
    /// It is a header of an event.
    pub event_header: bool,
    /// It is the whole body of an event.
    pub event_payload: bool,
    /// Its list or map may hold nothing as a value.
    pub sparse: bool,
    /// It is about to go.
    pub deprecated: bool,
}

/// Traits of few shapes and members.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RareTraits {
    pub(crate) query_name: Option<&'static str>,
    pub(crate) xml_namespace: Option<XmlNamespace>,
    pub(crate) context_param: Option<&'static str>,
}

impl Traits {
    /// Its name in EC2's queries.
    pub fn query_name(&self) -> Option<&'static str> {
        self.rare.and_then(|rare| rare.query_name)
    }

    /// Its XML namespace.
    pub fn xml_namespace(&self) -> Option<XmlNamespace> {
        self.rare.and_then(|rare| rare.xml_namespace)
    }

    /// The parameter of the endpoint rules that it sets.
    pub fn context_param(&self) -> Option<&'static str> {
        self.rare.and_then(|rare| rare.context_param)
    }

    pub(crate) fn set_rare(&mut self, set: impl FnOnce(&mut RareTraits)) {
        let mut rare = self.rare.copied().unwrap_or_default();
        set(&mut rare);
        self.rare = Some(Box::leak(Box::new(rare)));
    }

    /// Those of a member whose shape has `shape`'s.
    pub(crate) fn over(self, shape: &Self) -> Self {
        Self {
            location: self.location.or(shape.location),
            location_name: self.location_name.or(shape.location_name),
            timestamp_format: self.timestamp_format.or(shape.timestamp_format),
            rare: match (self.rare, shape.rare) {
                (Some(own), Some(shape)) => Some(Box::leak(Box::new(RareTraits {
                    query_name: own.query_name.or(shape.query_name),
                    xml_namespace: own.xml_namespace.or(shape.xml_namespace),
                    context_param: own.context_param.or(shape.context_param),
                }))),
                (own, shape) => own.or(shape),
            },
            sensitive: self.sensitive || shape.sensitive,
            idempotency_token: self.idempotency_token || shape.idempotency_token,
            streaming: self.streaming || shape.streaming,
            json_value: self.json_value || shape.json_value,
            flattened: self.flattened || shape.flattened,
            boxed: self.boxed || shape.boxed,
            xml_attribute: self.xml_attribute || shape.xml_attribute,
            host_label: self.host_label || shape.host_label,
            event_stream: self.event_stream || shape.event_stream,
            event: self.event || shape.event,
            event_header: self.event_header || shape.event_header,
            event_payload: self.event_payload || shape.event_payload,
            sparse: self.sparse || shape.sparse,
            deprecated: self.deprecated || shape.deprecated,
        }
    }
}

//! A model as it is in its file, made into what is asked of it.

use std::collections::HashMap;

use super::{
    Acceptor, Checksum, Matcher, Metadata, ModelError, Operation, Pages, Service, Waiter,
    WaiterState,
};
use crate::protocol::Protocol;
use crate::raw::{
    KEY, MEMBER, RawError, RawMember, RawNamespace, RawOperation, RawPages, RawService, RawShape,
    RawWaiter, VALUE, text,
};
use crate::shape::{ErrorTraits, Kind, Member, Shape, ShapeId, Structure, Traits};
use crate::text::Text;
use crate::undo::Undo;

#[expect(clippy::cast_possible_truncation, reason = "no model has four thousand million shapes")]
pub(super) fn id_of(place: usize) -> ShapeId {
    ShapeId(place as u32)
}

/// Makes a model out of its file: names of shapes become places, traits of shapes go to members.
pub(super) struct Reader {
    service: &'static str,
    names: HashMap<&'static str, ShapeId>,
    traits: Vec<Traits>,
    structures: Vec<bool>,
}

impl Reader {
    pub(super) fn new(service: &'static str, raw: &RawService) -> Self {
        let names = raw
            .shapes
            .0
            .iter()
            .enumerate()
            .map(|(place, (name, _))| (*name, id_of(place)))
            .collect();
        let traits = raw.shapes.0.iter().map(|(_, shape)| shape.traits).collect();
        Self {
            service,
            names,
            traits,
            structures: raw.shapes.0.iter().map(|(_, shape)| shape.kind == "structure").collect(),
        }
    }

    pub(super) fn read(self, raw: RawService) -> Result<Service, ModelError> {
        let metadata = self.metadata(&raw)?;
        let shapes = raw
            .shapes
            .0
            .into_iter()
            .map(|(name, shape)| self.shape(name, shape))
            .collect::<Result<_, _>>()?;
        let mut operations = raw
            .operations
            .0
            .into_iter()
            .map(|(name, operation)| self.operation(name, operation))
            .collect::<Result<Vec<_>, _>>()?;
        operations.sort_unstable_by_key(|operation| operation.name);
        for (name, pages) in raw.pagination.0 {
            if let Ok(place) = operations.binary_search_by(|operation| operation.name.cmp(name)) {
                operations[place].pages = Some(read_pages(&pages));
            }
        }
        for (name, undo) in raw.undo.0 {
            if let Ok(place) = operations.binary_search_by(|operation| operation.name.cmp(name)) {
                operations[place].undo = Some(
                    Undo::read(undo).ok_or_else(|| self.unknown(format!("an undo of {name}")))?,
                );
            }
        }
        let waiters = raw
            .waiters
            .0
            .into_iter()
            .map(|(name, waiter)| self.waiter(name, waiter))
            .collect::<Result<_, _>>()?;
        Ok(Service { name: self.service, metadata, operations, waiters, shapes, names: self.names })
    }

    fn unknown(&self, what: impl Into<String>) -> ModelError {
        ModelError::Unknown { service: self.service, what: what.into() }
    }

    fn protocol(&self, name: &str, json_version: Option<Text>) -> Result<Protocol, ModelError> {
        Protocol::named(name, text(json_version))
            .ok_or_else(|| self.unknown(format!("protocol {name}")))
    }

    fn metadata(&self, raw: &RawService) -> Result<Metadata, ModelError> {
        let about = &raw.metadata;
        let endpoint_prefix = text(about.endpoint_prefix).unwrap_or(self.service);
        let protocol = self.protocol(about.protocol.0, about.json_version)?;
        let spoken = about.protocols.iter().map(|name| self.protocol(name.0, about.json_version));
        let mut protocols = spoken.collect::<Result<Vec<_>, _>>()?;
        protocols.sort_by_key(|protocol| protocol.rank());
        let protocol = *protocols.first().unwrap_or(&protocol);
        if protocols.is_empty() {
            protocols.push(protocol);
        }
        Ok(Metadata {
            api_version: text(about.api_version).unwrap_or_default(),
            endpoint_prefix,
            global_endpoint: text(about.global_endpoint),
            json_version: text(about.json_version).unwrap_or("1.0"),
            protocol,
            protocols,
            full_name: text(about.service_full_name).unwrap_or(self.service),
            service_id: text(about.service_id).unwrap_or(self.service),
            signature_version: text(about.signature_version).unwrap_or("v4"),
            signing_name: text(about.signing_name).unwrap_or(endpoint_prefix),
            auth: about.auth.iter().map(|way| way.0).collect(),
            target_prefix: text(about.target_prefix).unwrap_or_default(),
            xml_namespace: about.xml_namespace.as_ref().map(RawNamespace::read),
            query_compatible: about.aws_query_compatible.is_some(),
            client_context_params: raw.client_context_params.clone(),
        })
    }

    fn id(&self, name: &'static str) -> Result<ShapeId, ModelError> {
        self.names
            .get(name)
            .copied()
            .ok_or(ModelError::Shape { service: self.service, shape: name })
    }

    fn member(
        &self,
        name: &'static str,
        raw: &RawMember,
        required: bool,
    ) -> Result<Member, ModelError> {
        let shape = self.id(raw.shape)?;
        let place = shape.0 as usize;
        let mut traits = raw.traits.over(&self.traits[place]);
        if self.structures[place] {
            // A structure's own name is its name as a root, not as a member.
            traits.location_name = raw.traits.location_name;
        }
        Ok(Member { name, shape, required, traits })
    }

    /// The root of an input or output: what the shape says of its own name goes before what the operation says.
    fn root(&self, raw: &RawMember) -> Result<Member, ModelError> {
        let mut root = self.member("", raw, true)?;
        let own = &self.traits[root.shape.0 as usize];
        root.traits.location_name = own.location_name.or(root.traits.location_name);
        Ok(root)
    }

    fn shape(&self, name: &'static str, raw: RawShape) -> Result<Shape, ModelError> {
        let missing = || self.unknown(format!("{} {name} without its members", raw.kind));
        let part = |place: usize| {
            raw.parts[place]
                .as_ref()
                .ok_or_else(missing)
                .and_then(|member| self.member("", member, false))
        };
        let kind = match raw.kind {
            "structure" => Kind::Structure(self.structure(&raw)?),
            "list" => Kind::List(part(MEMBER)?),
            "map" => Kind::Map(Box::new((part(KEY)?, part(VALUE)?))),
            "string" | "character" => Kind::String,
            "integer" => Kind::Integer,
            "long" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "boolean" => Kind::Boolean,
            "blob" => Kind::Blob,
            "timestamp" => Kind::Timestamp,
            other => return Err(self.unknown(format!("type {other}"))),
        };
        Ok(Shape {
            name,
            kind,
            traits: raw.traits,
            min: raw.min,
            max: raw.max,
            pattern: raw.pattern,
            enumeration: raw.enumeration,
        })
    }

    fn structure(&self, raw: &RawShape) -> Result<Structure, ModelError> {
        let required = |name: &str| raw.required.iter().any(|text| text.0 == name);
        let members = raw
            .members
            .iter()
            .map(|(name, member)| self.member(name, member, required(name)))
            .collect::<Result<Vec<_>, _>>()?;
        let error = (raw.exception || raw.error.is_some()).then(|| ErrorTraits {
            code: raw.error.as_ref().and_then(|error| text(error.code)),
            status: raw.error.as_ref().and_then(|error| error.http_status_code),
            sender_fault: raw.error.as_ref().is_some_and(|error| error.sender_fault),
            fault: raw.fault,
            retryable: raw.retryable.is_some(),
            throttling: raw.retryable.as_ref().is_some_and(|retryable| retryable.throttling),
        });
        Ok(Structure {
            members,
            payload: raw.payload,
            union: raw.union,
            document: raw.document,
            error,
        })
    }

    fn operation(&self, name: &'static str, raw: RawOperation) -> Result<Operation, ModelError> {
        let error = |error: &RawError| match error {
            RawError::Name(name) | RawError::Reference { shape: name } => self.id(name.0),
        };
        Ok(Operation {
            name,
            method: raw.http.as_ref().and_then(|http| text(http.method)).unwrap_or("POST"),
            uri: raw.http.as_ref().and_then(|http| text(http.request_uri)).unwrap_or("/"),
            response_code: raw.http.as_ref().and_then(|http| http.response_code).unwrap_or(200),
            input: raw.input.as_ref().map(|input| self.root(input)).transpose()?,
            output: raw.output.as_ref().map(|output| self.root(output)).transpose()?,
            result_wrapper: raw.output.as_ref().and_then(|output| output.result_wrapper),
            errors: raw.errors.iter().map(error).collect::<Result<_, _>>()?,
            host_prefix: raw.endpoint.as_ref().and_then(|endpoint| text(endpoint.host_prefix)),
            unsigned: raw.authtype.is_some_and(|kind| kind.0 == "none"),
            unsigned_payload: raw.unsigned_payload
                || raw.authtype.is_some_and(|kind| kind.0 == "v4-unsigned-body"),
            auth: raw.auth.iter().map(|way| way.0).collect(),
            checksum_required: raw.http_checksum_required
                || raw.http_checksum.as_ref().is_some_and(|sum| sum.request_checksum_required),
            checksum: raw.http_checksum.map(|sum| Checksum {
                algorithm_member: text(sum.request_algorithm_member),
                required: sum.request_checksum_required,
                validation_member: text(sum.request_validation_mode_member),
                response_algorithms: sum.response_algorithms.iter().map(|name| name.0).collect(),
            }),
            compression: raw
                .requestcompression
                .map_or_else(Vec::new, |raw| raw.encodings.iter().map(|name| name.0).collect()),
            idempotent: raw.idempotent,
            readonly: raw.readonly,
            deprecated: raw.deprecated,
            endpoint_discovery: raw.endpointdiscovery.map(|discovery| discovery.required),
            static_context_params: raw.static_context_params,
            operation_context_params: raw.operation_context_params,
            pages: None,
            undo: None,
        })
    }

    fn waiter(&self, name: &'static str, raw: RawWaiter) -> Result<Waiter, ModelError> {
        let acceptors = raw.acceptors.into_iter().map(|acceptor| {
            let state = match acceptor.state.0 {
                "success" => WaiterState::Success,
                "failure" => WaiterState::Failure,
                "retry" => WaiterState::Retry,
                other => return Err(self.unknown(format!("waiter state {other}"))),
            };
            let matcher = match acceptor.matcher.0 {
                "path" => Matcher::Path,
                "pathAll" => Matcher::PathAll,
                "pathAny" => Matcher::PathAny,
                "status" => Matcher::Status,
                "error" => Matcher::Error,
                other => return Err(self.unknown(format!("matcher {other}"))),
            };
            Ok(Acceptor {
                state,
                matcher,
                argument: text(acceptor.argument),
                expected: acceptor.expected,
            })
        });
        let acceptors = acceptors.collect::<Result<_, _>>()?;
        Ok(Waiter {
            name,
            operation: raw.operation.0,
            delay: raw.delay,
            max_attempts: raw.max_attempts,
            acceptors,
        })
    }
}

fn read_pages(raw: &RawPages) -> Pages {
    Pages {
        input_tokens: raw.input_token.read(),
        output_tokens: raw.output_token.read(),
        result_keys: raw.result_key.read(),
        non_aggregate_keys: raw.non_aggregate_keys.read(),
        limit_key: text(raw.limit_key),
        more_results: text(raw.more_results),
    }
}

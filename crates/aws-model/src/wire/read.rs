//! What is received: responses by a client, requests by a server.

use serde_json::{Map, Value};

use super::{
    Call, Reply, Request, Response, WireError, Wired, cbor, cbor_body, failure, form, json,
    members_of, rest, xml, xml_body,
};
use crate::protocol::Protocol;
use crate::shape::{Kind, Location};

impl Call<'_> {
    /// What a response says.
    pub fn read_response(&self, response: &Response) -> Result<Reply, WireError> {
        if response.status >= 300 {
            return Ok(Reply::Failure(failure::read(self, response)));
        }
        let output = match self.protocol {
            Protocol::Json10 | Protocol::Json11 => self.json_output(response)?,
            Protocol::RpcV2Cbor => self.cbor_output(response)?,
            Protocol::Query | Protocol::Ec2 => self.form_output(response)?,
            Protocol::RestJson | Protocol::RestXml => self.rest_output(response)?,
        };
        Ok(Reply::Output(Value::Object(output)))
    }

    fn json_output(&self, response: &Response) -> Wired<Map<String, Value>> {
        self.no_events()?;
        let Some((_, structure)) = rest::root_of(self.service, self.operation.output.as_ref())
        else {
            return Ok(Map::new());
        };
        json::decode_members(
            self.service,
            structure,
            members_of(&json::parse(&response.body)?)?,
            |_| true,
        )
    }

    fn cbor_output(&self, response: &Response) -> Wired<Map<String, Value>> {
        self.no_events()?;
        let Some((_, structure)) = rest::root_of(self.service, self.operation.output.as_ref())
        else {
            return Ok(Map::new());
        };
        if response.body.is_empty() {
            return Ok(Map::new());
        }
        match cbor::parse(&response.body)? {
            map @ cbor::Item::Map(_) => cbor_body::decode_members(self.service, structure, &map),
            _ => Err(WireError::new("expected a map")),
        }
    }

    fn form_output(&self, response: &Response) -> Wired<Map<String, Value>> {
        let Some((_, structure)) = rest::root_of(self.service, self.operation.output.as_ref())
        else {
            return Ok(Map::new());
        };
        if response.body.is_empty() {
            return Ok(Map::new());
        }
        let root = xml::parse(&response.body)?;
        let result = match self.result_wrapper() {
            Some(wrapper) => root.child(&wrapper).unwrap_or(&root),
            None => &root,
        };
        xml_body::decode_members(self.service, structure, result, |_| true)
    }

    fn rest_output(&self, response: &Response) -> Wired<Map<String, Value>> {
        let mut output = Map::new();
        let Some((_, structure)) = rest::root_of(self.service, self.operation.output.as_ref())
        else {
            return Ok(output);
        };
        for member in &structure.members {
            let read = match member.traits.location {
                Some(Location::StatusCode) => Ok(Some(Value::from(response.status))),
                Some(Location::Header | Location::Headers) => {
                    rest::read_header(self.service, member, &response.headers)
                }
                Some(Location::Uri | Location::QueryString) | None => Ok(None),
            };
            if let Some(value) = read.map_err(|error| error.below(member.name))? {
                output.insert(member.name.to_owned(), value);
            }
        }
        rest::read_body(self, structure, &response.body, false, &mut output)?;
        Ok(output)
    }

    fn no_events(&self) -> Wired<()> {
        match self.service.event_stream_of(self.operation.output.as_ref()) {
            Some(member) => {
                Err(WireError::new("streams of events are not read here").below(member.name))
            }
            None => Ok(()),
        }
    }

    /// The input that a request has.
    pub fn read_request(&self, request: &Request) -> Result<Value, WireError> {
        let Some(root) = &self.operation.input else { return Ok(Value::Object(Map::new())) };
        let decompressed = self.decompressed(request)?;
        let request = decompressed.as_ref().unwrap_or(request);
        match self.protocol {
            Protocol::Json10 | Protocol::Json11 => {
                let Kind::Structure(structure) = &self.service.shape_of(root).kind else {
                    return Ok(Value::Object(Map::new()));
                };
                let body = json::parse(&request.body)?;
                json::decode_members(self.service, structure, members_of(&body)?, |_| true)
                    .map(Value::Object)
            }
            Protocol::RpcV2Cbor if request.body.is_empty() => Ok(Value::Object(Map::new())),
            Protocol::RpcV2Cbor => {
                cbor_body::decode(self.service, root, &cbor::parse(&request.body)?)
            }
            Protocol::Query | Protocol::Ec2 => form::read(self, request),
            Protocol::RestJson | Protocol::RestXml => rest::read_request(self, request),
        }
    }
}

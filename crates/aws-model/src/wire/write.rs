//! What is sent: requests by a client, responses by a server.

use serde_json::{Map, Value};

use super::failure::{self, Failure};
use super::xml::Element;
use super::{
    Call, Request, Response, WireError, Wired, cbor_body, form, json, members_of, rest, xml_body,
};
use crate::protocol::Protocol;
use crate::shape::{Location, Member};

/// Operations whose texts are names and prefixes of objects: a break in one is part of the name.
const BREAKS_ESCAPED: &[&str] = &["DeleteObjects", "PutBucketLifecycleConfiguration"];

/// XML in which no line break is taken for one of another kind.
fn with_breaks_escaped(body: &[u8]) -> Vec<u8> {
    body.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"&#xA;"[..])
}

impl Call<'_> {
    /// The request with that input.
    pub fn request(&self, input: &Value) -> Result<Request, WireError> {
        let mut request = match self.protocol {
            Protocol::Json10 | Protocol::Json11 => self.json_request(input)?,
            Protocol::RpcV2Cbor => self.cbor_request(input)?,
            Protocol::Query | Protocol::Ec2 => form::request(self, input)?,
            Protocol::RestJson | Protocol::RestXml => rest::request(self, input)?,
        };
        request.host_prefix = self.host_prefix(input)?;
        match self.service.name {
            // It answers in another dialect of JSON otherwise.
            "apigateway" if !request.headers.contains("Accept") => {
                request.headers.set("Accept", "application/json");
            }
            "glacier" => {
                request.headers.set("x-amz-glacier-version", self.service.metadata.api_version);
            }
            "s3" if BREAKS_ESCAPED.contains(&self.operation.name) => {
                request.body = with_breaks_escaped(&request.body);
            }
            _ => {}
        }
        Ok(request)
    }

    fn json_request(&self, input: &Value) -> Wired<Request> {
        let version = if self.protocol == Protocol::Json11 { "1.1" } else { "1.0" };
        let mut request = Request {
            method: self.operation.method.to_owned(),
            path: "/".to_owned(),
            ..Request::default()
        };
        request.headers.set(
            "X-Amz-Target",
            format!("{}.{}", self.service.metadata.target_prefix, self.operation.name),
        );
        request.headers.set("Content-Type", format!("application/x-amz-json-{version}"));
        self.say_query_mode(&mut request);
        let body = match &self.operation.input {
            Some(root) => json::encode(self.service, root, input)?,
            None => Value::Object(Map::new()),
        };
        request.body = json::request_text(&body);
        Ok(request)
    }

    fn cbor_request(&self, input: &Value) -> Wired<Request> {
        let path = format!(
            "/service/{}/operation/{}",
            self.service.metadata.target_prefix, self.operation.name
        );
        let mut request = Request { method: "POST".to_owned(), path, ..Request::default() };
        request.headers.set("smithy-protocol", "rpc-v2-cbor");
        self.say_query_mode(&mut request);
        let events = self.service.event_stream_of(self.operation.output.as_ref()).is_some();
        request.headers.set(
            "Accept",
            if events { "application/vnd.amazon.eventstream" } else { "application/cbor" },
        );
        if let Some(root) = &self.operation.input {
            cbor_body::encode(self.service, root, input)?.write(&mut request.body);
            request.headers.set("Content-Type", "application/cbor");
        }
        Ok(request)
    }

    fn say_query_mode(&self, request: &mut Request) {
        if self.service.metadata.query_compatible {
            request.headers.set("x-amzn-query-mode", "true");
        }
    }

    /// What stands before the host, with its labels from the input.
    fn host_prefix(&self, input: &Value) -> Wired<Option<String>> {
        let Some(template) = self.operation.host_prefix else { return Ok(None) };
        let label = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
        let mut prefix = template.to_owned();
        for member in
            self.service.input_of(self.operation).iter().filter(|member| member.traits.host_label)
        {
            let value = input.get(member.name).and_then(Value::as_str).unwrap_or_default();
            if value.is_empty() || !value.chars().all(label) {
                let what = "it is part of the host's name, so it must be letters, digits, hyphens and periods";
                return Err(WireError::new(what).below(member.name));
            }
            prefix = prefix.replace(&format!("{{{}}}", member.name), value);
        }
        Ok(Some(prefix))
    }

    /// The response with that output.
    pub fn response(&self, output: &Value, request_id: &str) -> Result<Response, WireError> {
        let mut response = Response { status: self.operation.response_code, ..Response::default() };
        response.headers.set("x-amzn-RequestId", request_id);
        match self.protocol {
            Protocol::Json10 | Protocol::Json11 => {
                let version = if self.protocol == Protocol::Json11 { "1.1" } else { "1.0" };
                response.headers.set("Content-Type", format!("application/x-amz-json-{version}"));
                let body = match &self.operation.output {
                    Some(root) => json::encode(self.service, root, output)?,
                    None => Value::Object(Map::new()),
                };
                response.body = json::response_text(&body);
            }
            Protocol::RpcV2Cbor => {
                response.headers.set("smithy-protocol", "rpc-v2-cbor");
                if let Some(root) = &self.operation.output {
                    response.headers.set("Content-Type", "application/cbor");
                    cbor_body::encode(self.service, root, output)?.write(&mut response.body);
                }
            }
            Protocol::Query | Protocol::Ec2 => {
                self.form_response(output, request_id, &mut response)?;
            }
            Protocol::RestJson | Protocol::RestXml => self.rest_response(output, &mut response)?,
        }
        Ok(response)
    }

    /// The element that an output stands in. Models of services that have left the query protocol behind do not say it.
    pub(super) fn result_wrapper(&self) -> Option<String> {
        let said = self.operation.result_wrapper.map(str::to_owned);
        let is_former = self.service.metadata.query_compatible;
        said.or_else(|| is_former.then(|| format!("{}Result", self.operation.name)))
    }

    fn form_response(
        &self,
        output: &Value,
        request_id: &str,
        response: &mut Response,
    ) -> Wired<()> {
        response.headers.set("Content-Type", "text/xml");
        let name = self.operation.name;
        let mut root = Element::new(format!("{name}Response"));
        if let Some(namespace) = self.service.metadata.xml_namespace {
            root.attributes.push(("xmlns".to_owned(), namespace.uri.to_owned()));
        }
        let ec2 = self.protocol == Protocol::Ec2;
        if ec2 {
            root.children.push(Element::with_text("requestId", request_id));
        }
        if let Some((_, structure)) = rest::root_of(self.service, self.operation.output.as_ref()) {
            let wrapper = self.result_wrapper().filter(|_| !ec2);
            let mut result = Element::new(wrapper.clone().unwrap_or_default());
            let into = if wrapper.is_some() { &mut result } else { &mut root };
            xml_body::encode_members(self.service, structure, members_of(output)?, into, |_| true)?;
            if wrapper.is_some() {
                root.children.push(result);
            }
        }
        if !ec2 {
            let mut metadata = Element::new("ResponseMetadata");
            metadata.children.push(Element::with_text("RequestId", request_id));
            root.children.push(metadata);
        }
        response.body = root.write().into_bytes();
        Ok(())
    }

    fn rest_response(&self, output: &Value, response: &mut Response) -> Wired<()> {
        let Some((root, structure)) = rest::root_of(self.service, self.operation.output.as_ref())
        else {
            return Ok(());
        };
        let output = members_of(output)?;
        let located = |member: &&Member| member.traits.location.is_some();
        for member in structure.members.iter().filter(located) {
            let Some(value) = output.get(member.name).filter(|value| !value.is_null()) else {
                continue;
            };
            if member.traits.location == Some(Location::StatusCode) {
                let status = value.as_u64().and_then(|status| u16::try_from(status).ok());
                response.status =
                    status.ok_or_else(|| WireError::new("expected a status").below(member.name))?;
            } else {
                rest::set_header(self.service, member, value, &mut response.headers)
                    .map_err(|error| error.below(member.name))?;
            }
        }
        let body = rest::Body::write(self, root, structure, output, false)?;
        if let Some(content_type) =
            body.content_type.filter(|_| !response.headers.contains("Content-Type"))
        {
            response.headers.set("Content-Type", content_type);
        }
        response.body = body.bytes;
        Ok(())
    }

    /// The response that says an error; its status is the model's where the error has none (zero) of its own.
    pub fn error_response(&self, failure: &Failure, request_id: &str) -> Response {
        failure::write(self, failure, request_id)
    }
}

//! A request back into the members that it was serialised from, named as AWS's API names them.

mod routes;
mod xml;

use serde_json::{Map, Value};

use routes::{HEADERS, METADATA, QUERIES, ROUTES, Route};

/// A request as far as it carries members. Path and query are decoded.
pub struct Parts<'r> {
    /// As the AWS CLI names it.
    pub service: &'r str,
    /// Such as `CreateFunction`.
    pub operation: &'r str,
    /// With the query.
    pub path: &'r str,
    /// As data.
    pub body: &'r Value,
    /// Whether the body was a form.
    pub is_form: bool,
}

/// The members of a call; null for one of which nobody knows where they stand.
pub fn of<'h>(parts: &Parts<'_>, headers: impl Iterator<Item = (&'h str, &'h str)>) -> Value {
    let route = ROUTES
        .iter()
        .find(|route| route.service == parts.service && route.operation == parts.operation);
    match (route, parts.body) {
        (Some(route), body) => routed(route, parts.path, body, headers),
        // The other protocols have all members in the body of a `POST /`.
        (None, Value::Object(fields)) if parts.is_form => nested(fields),
        (None, Value::Object(_)) if parts.path == "/" => parts.body.clone(),
        (None, Value::Null) if parts.path == "/" => Value::Object(Map::new()),
        (None, _) => Value::Null,
    }
}

fn routed<'h>(
    route: &Route,
    path: &str,
    body: &Value,
    headers: impl Iterator<Item = (&'h str, &'h str)>,
) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let Some(mut members) = labels(route.path, path) else { return Value::Null };
    let query = query.split('&').filter_map(|part| part.split_once('='));
    for (name, value) in query {
        let member = match QUERIES.iter().find(|(query, _)| *query == name) {
            Some((_, "")) => continue,
            Some((_, member)) => member,
            None => name,
        };
        let number = value.parse::<u64>().map(Value::from);
        members.insert(member.to_owned(), number.unwrap_or_else(|_| value.into()));
    }
    for (name, value) in headers {
        if let Some((_, member)) = HEADERS.iter().find(|(header, member)| {
            *header == name && (*member != "ContentType" || route.payload == Some("Body"))
        }) {
            members.insert((*member).to_owned(), value.into());
        } else if let Some(key) = name.strip_prefix(METADATA) {
            let metadata = members.entry("Metadata").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(metadata) = metadata {
                metadata.insert(key.to_owned(), value.into());
                metadata.sort_keys();
            }
        }
    }
    match (route.payload, body) {
        (_, Value::Null) => {}
        (None, Value::String(text)) => match xml::element(text) {
            Some((name, value)) => {
                members.insert(name, value);
            }
            None => return Value::Null,
        },
        (Some(member), body) => {
            members.insert(member.to_owned(), body.clone());
        }
        (None, Value::Object(fields)) => members.extend(fields.clone()),
        (None, _) => return Value::Null,
    }
    Value::Object(members)
}

/// Whether what the body of a call holds is bytes to AWS, whatever they look like.
#[must_use]
pub fn takes_bytes(service: &str, operation: &str) -> bool {
    let mut routes = ROUTES.iter().filter(|route| route.payload == Some("Body"));
    routes.any(|route| route.service == service && route.operation == operation)
}

/// What stands in a path where its pattern has braces. Only the last member may hold slashes, such as an ARN or a key.
fn labels(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let mut members = Map::new();
    let (mut pattern, mut path) = (pattern, path);
    while let Some((before, rest)) = pattern.split_once('{') {
        path = path.strip_prefix(before)?;
        let (member, after) = rest.split_once('}')?;
        let end = match after.split('{').next().unwrap_or_default() {
            "" if member.ends_with('+') => path.len(),
            "" => path.strip_suffix('/').unwrap_or(path).len(),
            literal => path.find(literal)?,
        };
        let (value, remaining) = path.split_at_checked(end)?;
        members.insert(member.trim_end_matches('+').to_owned(), value.into());
        (pattern, path) = (after, remaining);
    }
    let rest = path.strip_prefix(pattern)?;
    matches!(rest, "" | "/").then_some(members)
}

/// The fields of a form, `Tags.member.1.Key` and the like, as the lists and maps that they stand for. An empty one says that
/// a list is empty, which leaving it out says as well.
fn nested(fields: &Map<String, Value>) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in fields.iter().filter(|(_, value)| value.as_str() != Some("")) {
        let path: Vec<&str> = name.split('.').collect();
        insert(&mut root, &path, value);
    }
    settle(&mut root);
    root
}

fn insert(target: &mut Value, path: &[&str], value: &Value) {
    let Some((first, rest)) = path.split_first() else {
        *target = value.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(fields) = target {
        insert(fields.entry(*first).or_insert(Value::Null), rest, value);
    }
}

/// `{member: {1: …, 2: …}}` is a list; `{entry: {1: {key, value}}}` a map.
fn settle(value: &mut Value) {
    let Value::Object(fields) = value else { return };
    if fields.len() == 1 {
        if let Some(Value::Object(numbered)) = fields.get_mut("member") {
            let mut items: Vec<Value> =
                std::mem::take(numbered).into_iter().map(|it| it.1).collect();
            items.iter_mut().for_each(settle);
            *value = Value::Array(items);
            return;
        }
        if let Some(Value::Object(numbered)) = fields.get_mut("entry") {
            let pairs = std::mem::take(numbered).into_iter().filter_map(|(_, mut pair)| {
                let key = pair.get("key")?.as_str()?.to_owned();
                let mut held = pair.get_mut("value")?.take();
                settle(&mut held);
                Some((key, held))
            });
            *value = Value::Object(pairs.collect());
            return;
        }
    }
    fields.values_mut().for_each(settle);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(service: &str, operation: &str, path: &str, body: &Value) -> Value {
        let headers =
            [("x-amz-log-type", "Tail"), ("content-type", "text/plain"), ("x-amz-meta-b", "c")];
        let headers = headers.into_iter().filter(|(name, _)| match service {
            "s3" => *name != "x-amz-log-type",
            _ => operation == "Invoke" && !name.contains("meta"),
        });
        of(&Parts { service, operation, path, body, is_form: service == "iam" }, headers)
    }

    #[test]
    fn a_form_becomes_lists_and_maps() {
        let body = json!({
            "RoleName": "a",
            "Tags.member.1.Key": "playbook:run",
            "Tags.member.1.Value": "x",
            "Tags.member.2.Key": "b",
            "Tags.member.2.Value": "c",
            "Parameters": "",
            "Capabilities.member.1": "CAPABILITY_IAM",
            "Attributes.entry.1.key": "k",
            "Attributes.entry.1.value": "v",
            "Configuration.Size": "1",
        });
        let expected = json!({
            "RoleName": "a",
            "Tags": [{"Key": "playbook:run", "Value": "x"}, {"Key": "b", "Value": "c"}],
            "Capabilities": ["CAPABILITY_IAM"],
            "Attributes": {"k": "v"},
            "Configuration": {"Size": "1"},
        });
        assert_eq!(members("iam", "CreateRole", "/", &body), expected);
    }

    #[test]
    fn a_document_is_as_it_is() {
        let body = json!({"TableName": "t", "Item": {"a.b": {"S": "x"}, "member": {"N": "1"}}});
        assert_eq!(members("dynamodb", "PutItem", "/", &body), body);
        assert_eq!(members("sts", "GetCallerIdentity", "/", &Value::Null), json!({}));
    }

    #[test]
    fn paths_queries_headers_and_bodies_are_put_together() {
        let path = "/2015-03-31/functions/arn:aws:lambda:x:1:function:f/invocations?Qualifier=2";
        let body = json!({"number": 1});
        let expected = json!({
            "FunctionName": "arn:aws:lambda:x:1:function:f",
            "Qualifier": 2,
            "LogType": "Tail",
            "Payload": {"number": 1},
        });
        assert_eq!(members("lambda", "Invoke", path, &body), expected);
        let path = "/2015-03-31/functions/f/policy/pool";
        assert_eq!(
            members("lambda", "RemovePermission", path, &Value::Null),
            json!({"FunctionName": "f", "StatementId": "pool"})
        );
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        assert_eq!(members("lambda", "PutNothing", "/x", &Value::Null), Value::Null);
        assert_eq!(members("lambda", "GetFunction", "/2014/f", &Value::Null), Value::Null);
    }

    #[test]
    fn buckets_and_keys_stand_in_paths_and_documents_in_xml() {
        let put = members("s3", "PutObject", "/b/notes/a.txt?x-id=PutObject", &json!("3 bytes"));
        let expected = json!({
            "Bucket": "b", "Key": "notes/a.txt", "ContentType": "text/plain", "Metadata": {"b": "c"}, "Body": "3 bytes",
        });
        assert_eq!(put, expected);
        let folder = members("s3", "HeadObject", "/b/notes/", &Value::Null);
        assert_eq!(folder, json!({"Bucket": "b", "Key": "notes/", "Metadata": {"b": "c"}}));
        // The SDK ends the path of a bucket with a slash.
        let slash = members("s3", "HeadBucket", "/b/", &Value::Null);
        assert_eq!(slash, json!({"Bucket": "b", "Metadata": {"b": "c"}}));
        let listed = members("s3", "ListObjectsV2", "/b?list-type=2&max-keys=100", &Value::Null);
        assert_eq!(listed, json!({"Bucket": "b", "MaxKeys": 100, "Metadata": {"b": "c"}}));
        let xml = "<?xml version=\"1.0\"?><CreateBucketConfiguration xmlns=\"x\"><LocationConstraint>eu-central-1\
                   </LocationConstraint><Tags><Tag><Key>a&amp;b</Key><Value/></Tag></Tags></CreateBucketConfiguration>";
        let created = members("s3", "CreateBucket", "/b", &json!(xml));
        let configuration =
            json!({"LocationConstraint": "eu-central-1", "Tags": [{"Key": "a&b", "Value": ""}]});
        assert_eq!(created["CreateBucketConfiguration"], configuration);
        assert_eq!(members("s3", "CreateBucket", "/b", &json!("3 bytes")), Value::Null);
    }
}

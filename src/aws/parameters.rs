//! A request back into the members that it was serialised from, named as AWS's API names them.

use serde_json::{Map, Value};

/// A call of a protocol that spreads its members over path, query and headers.
struct Route {
    service: &'static str,
    operation: &'static str,
    /// Members in braces.
    path: &'static str,
    /// The member that is the whole body.
    payload: Option<&'static str>,
}

const fn lambda(operation: &'static str, path: &'static str) -> Route {
    Route { service: "lambda", operation, path, payload: None }
}

/// Where the members of Lambda's calls stand in their paths, as its API reference says:
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html>
const ROUTES: &[Route] = &[
    lambda("CreateFunction", "/2015-03-31/functions"),
    lambda("ListFunctions", "/2015-03-31/functions"),
    lambda("GetFunction", "/2015-03-31/functions/{FunctionName}"),
    lambda("DeleteFunction", "/2015-03-31/functions/{FunctionName}"),
    lambda("UpdateFunctionCode", "/2015-03-31/functions/{FunctionName}/code"),
    lambda("GetFunctionConfiguration", "/2015-03-31/functions/{FunctionName}/configuration"),
    lambda("UpdateFunctionConfiguration", "/2015-03-31/functions/{FunctionName}/configuration"),
    Route {
        service: "lambda",
        operation: "Invoke",
        path: "/2015-03-31/functions/{FunctionName}/invocations",
        payload: Some("Payload"),
    },
    lambda("GetPolicy", "/2015-03-31/functions/{FunctionName}/policy"),
    lambda("AddPermission", "/2015-03-31/functions/{FunctionName}/policy"),
    lambda("RemovePermission", "/2015-03-31/functions/{FunctionName}/policy/{StatementId}"),
    lambda("PublishVersion", "/2015-03-31/functions/{FunctionName}/versions"),
    lambda("ListVersionsByFunction", "/2015-03-31/functions/{FunctionName}/versions"),
    lambda("CreateAlias", "/2015-03-31/functions/{FunctionName}/aliases"),
    lambda("GetAlias", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"),
    lambda("UpdateAlias", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"),
    lambda("DeleteAlias", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"),
    lambda("CreateEventSourceMapping", "/2015-03-31/event-source-mappings"),
    lambda("ListEventSourceMappings", "/2015-03-31/event-source-mappings"),
    lambda("GetEventSourceMapping", "/2015-03-31/event-source-mappings/{UUID}"),
    lambda("UpdateEventSourceMapping", "/2015-03-31/event-source-mappings/{UUID}"),
    lambda("DeleteEventSourceMapping", "/2015-03-31/event-source-mappings/{UUID}"),
    lambda("ListTags", "/2017-03-31/tags/{Resource}"),
    lambda("TagResource", "/2017-03-31/tags/{Resource}"),
    lambda("UntagResource", "/2017-03-31/tags/{Resource}"),
    lambda("PutFunctionConcurrency", "/2017-10-31/functions/{FunctionName}/concurrency"),
    lambda("DeleteFunctionConcurrency", "/2017-10-31/functions/{FunctionName}/concurrency"),
    lambda(
        "PutFunctionEventInvokeConfig",
        "/2019-09-25/functions/{FunctionName}/event-invoke-config",
    ),
    lambda(
        "GetFunctionEventInvokeConfig",
        "/2019-09-25/functions/{FunctionName}/event-invoke-config",
    ),
    lambda(
        "DeleteFunctionEventInvokeConfig",
        "/2019-09-25/functions/{FunctionName}/event-invoke-config",
    ),
];

/// Headers that are members, and the members.
const HEADERS: &[(&str, &str)] = &[
    ("x-amz-invocation-type", "InvocationType"),
    ("x-amz-log-type", "LogType"),
    ("x-amz-client-context", "ClientContext"),
];

/// A request as far as it carries members. Path and query are decoded.
pub(super) struct Parts<'r> {
    pub(super) service: &'r str,
    pub(super) operation: &'r str,
    pub(super) path: &'r str,
    pub(super) body: &'r Value,
}

/// The members of a call; null for one of which nobody knows where they stand.
pub(super) fn of<'h>(parts: &Parts<'_>, header: impl Fn(&str) -> Option<&'h str>) -> Value {
    let route = ROUTES
        .iter()
        .find(|route| route.service == parts.service && route.operation == parts.operation);
    match (route, parts.body) {
        (Some(route), body) => routed(route, parts.path, body, header),
        // The other protocols have all members in the body of a `POST /`.
        (None, Value::Object(fields)) if parts.path == "/" => nested(fields),
        (None, Value::Null) if parts.path == "/" => Value::Object(Map::new()),
        (None, _) => Value::Null,
    }
}

fn routed<'h>(
    route: &Route,
    path: &str,
    body: &Value,
    header: impl Fn(&str) -> Option<&'h str>,
) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let Some(mut members) = labels(route.path, path) else { return Value::Null };
    let query = query.split('&').filter_map(|part| part.split_once('='));
    for (name, value) in query {
        let number = value.parse::<u64>().map(Value::from);
        members.insert(name.to_owned(), number.unwrap_or_else(|_| value.into()));
    }
    for (name, member) in HEADERS {
        if let Some(value) = header(name) {
            members.insert((*member).to_owned(), value.into());
        }
    }
    match (route.payload, body) {
        (_, Value::Null) => {}
        (Some(member), body) => {
            members.insert(member.to_owned(), body.clone());
        }
        (None, Value::Object(fields)) => members.extend(fields.clone()),
        (None, _) => return Value::Null,
    }
    Value::Object(members)
}

/// What stands in a path where its pattern has braces. A member that holds slashes, such as an ARN, is as long as it may
/// be.
fn labels(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let mut members = Map::new();
    let (mut pattern, mut path) = (pattern, path);
    while let Some((before, rest)) = pattern.split_once('{') {
        path = path.strip_prefix(before)?;
        let (member, after) = rest.split_once('}')?;
        let end = match after.split('{').next().unwrap_or_default() {
            "" => path.len(),
            literal => path.rfind(literal)?,
        };
        let (value, remaining) = path.split_at_checked(end)?;
        members.insert(member.to_owned(), value.into());
        (pattern, path) = (after, remaining);
    }
    let rest = path.strip_prefix(pattern)?;
    matches!(rest, "" | "/").then_some(members)
}

/// The fields of a form, `Tags.member.1.Key` and the like, as the lists and maps that they stand for. Those of a JSON
/// document, which have no such names, as they are.
fn nested(fields: &Map<String, Value>) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in fields {
        // Only a form has dots in names, and numbers after `member`.
        let is_path = name.contains(".member.") || name.contains(".entry.") || name.contains('.');
        if is_path && value.is_string() {
            let path: Vec<&str> = name.split('.').collect();
            insert(&mut root, &path, value);
        } else if let Value::Object(root) = &mut root {
            root.insert(name.clone(), value.clone());
        }
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
        let header = |name: &str| (name == "x-amz-log-type").then_some("Tail");
        of(&Parts { service, operation, path, body }, header)
    }

    #[test]
    fn a_form_becomes_lists_and_maps() {
        let body = json!({
            "RoleName": "a",
            "Tags.member.1.Key": "playbook:run",
            "Tags.member.1.Value": "x",
            "Tags.member.2.Key": "b",
            "Tags.member.2.Value": "",
            "Capabilities.member.1": "CAPABILITY_IAM",
            "Attributes.entry.1.key": "k",
            "Attributes.entry.1.value": "v",
            "Configuration.Size": "1",
        });
        let expected = json!({
            "RoleName": "a",
            "Tags": [{"Key": "playbook:run", "Value": "x"}, {"Key": "b", "Value": ""}],
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
        let removed = of(
            &Parts { service: "lambda", operation: "RemovePermission", path, body: &Value::Null },
            |_| None,
        );
        assert_eq!(removed, json!({"FunctionName": "f", "StatementId": "pool"}));
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        assert_eq!(members("lambda", "PutNothing", "/x", &Value::Null), Value::Null);
        assert_eq!(members("lambda", "GetFunction", "/2014/f", &Value::Null), Value::Null);
        assert_eq!(members("s3", "PutObject", "/bucket/key", &json!("3 bytes")), Value::Null);
    }
}

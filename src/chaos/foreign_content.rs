//! Foreign content: users, app clients and items of somebody else in pools and tables that the run makes or uses.
//!
//! A pool or table of the run's own goes, and they go with it; until then they must be as they were.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::header::HeaderValue;
use serde_json::{Map, Value, json};

use super::account::timeless;
use local_aws::http::Request;
use local_aws::server::operation;

/// The name of a foreign user, and what the keys of a foreign item hold.
const NAME: &str = "somebody";

/// Precedes the id of an app client; no user's name has a blank.
const CLIENT: &str = "client ";

/// All that is in pools and tables: by the resource that holds it, such as `dynamodb people`, and its name.
pub(super) type ForeignContent = BTreeMap<(String, String), Value>;

/// All users, app clients and items in a snapshot.
pub(super) fn inhabitants(snapshot: &Value) -> ForeignContent {
    let mut all = ForeignContent::new();
    for (id, pool) in entries(&snapshot["cognito-idp"]) {
        for (name, user) in entries(&pool["users"]) {
            all.insert((format!("cognito-idp {id}"), name.clone()), timeless("cognito-idp", user));
        }
        for (client, picture) in entries(&pool["clients"]) {
            let name = format!("{CLIENT}{client}");
            all.insert((format!("cognito-idp {id}"), name), timeless("cognito-idp", picture));
        }
    }
    for (name, table) in entries(&snapshot["dynamodb"]) {
        let items = table["Items"].as_array().into_iter().flatten();
        for text in items.filter_map(Value::as_str) {
            let item: Value = serde_json::from_str(text).unwrap_or_default();
            let key = key_of(table, &item).to_string();
            all.insert((format!("dynamodb {name}"), key), Value::from(text));
        }
    }
    all
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn key_names(table: &Value) -> impl Iterator<Item = &str> {
    let keys = table["KeySchema"].as_array().into_iter().flatten();
    keys.filter_map(|key| key["AttributeName"].as_str())
}

fn key_of(table: &Value, item: &Value) -> Value {
    let key: Map<String, Value> =
        key_names(table).map(|name| (name.to_owned(), item[name].clone())).collect();
    Value::Object(key)
}

/// Who is in the second that was not in the first, or was not the same.
pub(super) fn newcomers(before: &ForeignContent, after: ForeignContent) -> ForeignContent {
    after.into_iter().filter(|(name, picture)| before.get(name) != Some(picture)).collect()
}

/// The foreign content that is no more, or no more as they were, although what holds them is there; but for those in places that
/// are `aside`.
pub(super) fn harmed(
    content: &ForeignContent,
    snapshot: &Value,
    aside: impl Fn(&str) -> bool,
) -> Vec<String> {
    let found = inhabitants(snapshot);
    let is_there = |container: &str| {
        let (service, name) = container.split_once(' ').unwrap_or((container, ""));
        snapshot[service].get(name).is_some()
    };
    content
        .iter()
        .filter(|((container, _), _)| is_there(container) && !aside(container))
        .filter_map(|(name, picture)| match found.get(name) {
            None => Some(format!("{} {} is gone", name.0, name.1)),
            Some(other) if other != picture => Some(format!("{} {} has changed", name.0, name.1)),
            Some(_) => None,
        })
        .collect()
}

/// Adds foreign content to the picture of what holds it, in place of the one of the same name.
pub(super) fn add_to(picture: &mut Value, name: &str, item: &Value) {
    let (place, name) =
        name.strip_prefix(CLIENT).map_or(("users", name), |client| ("clients", client));
    if let Some(Value::Object(named)) = picture.get_mut(place) {
        named.insert(name.to_owned(), item.clone());
    }
    if let Some(items) = picture["Items"].as_array() {
        let is_another = |text: &&Value| {
            let item: Value =
                serde_json::from_str(text.as_str().unwrap_or_default()).unwrap_or_default();
            let key = key_of(picture, &item).to_string();
            key != name
        };
        let mut items: Vec<Value> = items.iter().filter(is_another).cloned().collect();
        items.push(item.clone());
        items.sort_by_key(|item| item.as_str().unwrap_or_default().to_owned());
        picture["Items"] = Value::Array(items);
    }
}

/// The requests by which foreign content comes to where there is none yet; `request` is one for the same service.
pub(super) fn arrivals(request: &Request, service: &str, snapshot: &Value) -> Vec<Request> {
    let there = inhabitants(snapshot);
    let has_foreign = |container: &str| {
        there.keys().any(|(other, name)| other == container && name.contains(NAME))
    };
    let places = entries(&snapshot[service]);
    let empty = places.filter(|(name, _)| !has_foreign(&format!("{service} {name}")));
    match service {
        "cognito-idp" => empty.filter_map(|(id, pool)| new_user(request, id, pool, NAME)).collect(),
        "dynamodb" => {
            empty.filter_map(|(name, table)| new_item(request, name, &strange_key(table))).collect()
        }
        _ => Vec::new(),
    }
}

/// The requests by which somebody with nearly the same name, or items with nearly the same keys, come just before those
/// of the run.
pub(super) fn near_names(request: &Request, snapshot: &Value) -> Vec<Request> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match operation(request).as_str() {
        "SignUp" | "AdminCreateUser" => {
            let pool = pool_of(&body, snapshot);
            let named = body["Username"].as_str().zip(pool);
            let user = named
                .and_then(|(name, (id, pool))| new_user(request, id, pool, &format!("{name}0")));
            user.into_iter().collect()
        }
        "PutItem" => put_nearby(request, snapshot, &body["TableName"], &[&body["Item"]]),
        "BatchWriteItem" => entries(&body["RequestItems"])
            .flat_map(|(table, writes)| {
                let writes = writes.as_array().into_iter().flatten();
                let items: Vec<_> = writes.map(|write| &write["PutRequest"]["Item"]).collect();
                put_nearby(request, snapshot, &Value::from(table.as_str()), &items)
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether the item of a foreign run would have the key of the run's own, since the run's id stands in other attributes alone.
pub(super) fn takes_the_key(request: &Request, snapshot: &Value, run: &str) -> bool {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let is_apart = |table: &str, item: &Value| {
        snapshot["dynamodb"]
            .get(table)
            .is_none_or(|table| key_of(table, item).to_string().contains(run))
    };
    match operation(request).as_str() {
        "PutItem" => {
            body["TableName"].as_str().is_some_and(|table| !is_apart(table, &body["Item"]))
        }
        "BatchWriteItem" => entries(&body["RequestItems"]).any(|(table, writes)| {
            let mut writes = writes.as_array().into_iter().flatten();
            writes.any(|write| !is_apart(table, &write["PutRequest"]["Item"]))
        }),
        _ => false,
    }
}

/// The same user or item, made by somebody else just before.
pub(super) fn same_by_somebody(request: &Request) -> Option<Request> {
    match operation(request).as_str() {
        "SignUp" | "AdminCreateUser" => Some(request.clone()),
        "PutItem" => {
            let mut body: Value = serde_json::from_slice(&request.body).ok()?;
            let item = body["Item"].as_object_mut()?;
            item.insert("MadeBy".to_owned(), json!({"S": NAME}));
            let item = Value::Object(item.clone());
            new_item(request, body["TableName"].as_str()?, &item)
        }
        _ => None,
    }
}

fn pool_of<'s>(body: &Value, snapshot: &'s Value) -> Option<(&'s str, &'s Value)> {
    let client = body["ClientId"].as_str();
    let wanted = body["UserPoolId"].as_str();
    let mut pools = entries(&snapshot["cognito-idp"]);
    let found = pools.find(|(id, pool)| {
        wanted == Some(id.as_str())
            || client.is_some_and(|client| pool["clients"].get(client).is_some())
    });
    found.map(|(id, pool)| (id.as_str(), pool))
}

fn put_nearby(
    request: &Request,
    snapshot: &Value,
    table_name: &Value,
    items: &[&Value],
) -> Vec<Request> {
    let Some(name) = table_name.as_str() else { return Vec::new() };
    let Some(table) = snapshot["dynamodb"].get(name) else { return Vec::new() };
    let there = inhabitants(snapshot);
    let nearby = items.iter().filter_map(|item| nearly(table, item));
    let is_free = |item: &Value| {
        let key = key_of(table, item).to_string();
        !there.contains_key(&(format!("dynamodb {name}"), key))
    };
    nearby.filter(is_free).filter_map(|item| new_item(request, name, &item)).collect()
}

/// An item whose key begins as that of another; nothing where the key is no text.
fn nearly(table: &Value, item: &Value) -> Option<Value> {
    let first = key_names(table).next()?;
    let text = item[first]["S"].as_str()?;
    let mut near = item.as_object()?.clone();
    near.insert(first.to_owned(), json!({"S": format!("{text}0")}));
    Some(Value::Object(near))
}

/// An item whose key is unlike any.
fn strange_key(table: &Value) -> Value {
    let types = table["AttributeDefinitions"].as_array().cloned().unwrap_or_default();
    let value = |name: &str| {
        let kind = types.iter().find(|it| it["AttributeName"] == name);
        match kind.and_then(|it| it["AttributeType"].as_str()) {
            Some("N") => json!({"N": "424242"}),
            Some("B") => json!({"B": "c29tZWJvZHk="}),
            _ => json!({"S": NAME}),
        }
    };
    let key = key_names(table).map(|name| (name.to_owned(), value(name)));
    let mark = ("MadeBy".to_owned(), json!({"S": NAME}));
    Value::Object(key.chain([mark]).collect())
}

fn new_user(request: &Request, id: &str, pool: &Value, name: &str) -> Option<Request> {
    let signs_in_with = pool["pool"]["UsernameAttributes"].as_array();
    let by_mail = signs_in_with.is_some_and(|names| !names.is_empty());
    let mail =
        if name.contains('@') { name.to_owned() } else { format!("{name}@guests.example.com") };
    let body = json!({
        "UserPoolId": id,
        "Username": if by_mail { &mail } else { name },
        "MessageAction": "SUPPRESS",
        "UserAttributes": [{"Name": "email", "Value": mail}],
    });
    another(request, "AWSCognitoIdentityProviderService.AdminCreateUser", &body)
}

fn new_item(request: &Request, table: &str, item: &Value) -> Option<Request> {
    let body = json!({"TableName": table, "Item": item});
    another(request, "DynamoDB_20120810.PutItem", &body)
}

/// Another operation of the same service, with another body.
fn another(request: &Request, target: &str, body: &Value) -> Option<Request> {
    let mut headers = request.headers.clone();
    headers.insert("x-amz-target", HeaderValue::from_str(target).ok()?);
    Some(Request { headers, body: Bytes::from(body.to_string()), ..request.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::HeaderMap;

    fn request(target: &str, body: &Value) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", HeaderValue::from_str(target).expect("a header"));
        Request {
            method: hyper::Method::POST,
            target: String::new(),
            path: Vec::new(),
            trailing_slash: false,
            query: Vec::new(),
            headers,
            body: Bytes::from(body.to_string()),
            request_id: "id".to_owned(),
            credential: None,
            on_behalf_of: None,
        }
    }

    fn account(users: &Value, items: &Value) -> Value {
        json!({
            "cognito-idp": {"pool_1": {"pool": {}, "clients": {"c1": {}}, "users": users}},
            "dynamodb": {"people": {
                "KeySchema": [{"AttributeName": "mail", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "mail", "AttributeType": "S"}],
                "Items": items,
            }},
        })
    }

    fn body(request: &Request) -> Value {
        serde_json::from_slice(&request.body).expect("JSON")
    }

    #[test]
    fn pools_and_tables_without_guests_get_one() {
        let empty = account(&json!({}), &json!([]));
        let at_hand = request("DynamoDB_20120810.DescribeTable", &json!({}));
        let items = arrivals(&at_hand, "dynamodb", &empty);
        assert_eq!(operation(&items[0]), "PutItem");
        assert_eq!(body(&items[0])["Item"]["mail"], json!({"S": "somebody"}));
        let users = arrivals(&at_hand, "cognito-idp", &empty);
        assert_eq!(body(&users[0])["Username"], "somebody");
        let furnished = account(&json!({"somebody": {}}), &json!([r#"{"mail":{"S":"somebody"}}"#]));
        assert!(arrivals(&at_hand, "dynamodb", &furnished).is_empty());
        assert!(arrivals(&at_hand, "cognito-idp", &furnished).is_empty());
        assert!(arrivals(&at_hand, "iam", &empty).is_empty());
    }

    #[test]
    fn namesakes_come_before_the_runs_own() {
        let empty = account(&json!({}), &json!([]));
        let up = json!({"ClientId": "c1", "Username": "ann", "Password": "x"});
        let users = near_names(&request("AWSCognitoIdentityProviderService.SignUp", &up), &empty);
        assert_eq!(body(&users[0])["Username"], "ann0");
        assert_eq!(body(&users[0])["UserPoolId"], "pool_1");
        let write = json!({"PutRequest": {"Item": {"mail": {"S": "ann"}, "n": {"N": "1"}}}});
        let batch = json!({"RequestItems": {"people": [write, write]}});
        let items = near_names(&request("DynamoDB_20120810.BatchWriteItem", &batch), &empty);
        assert_eq!(body(&items[0])["Item"], json!({"mail": {"S": "ann0"}, "n": {"N": "1"}}));
        let there = account(&json!({}), &json!([r#"{"mail":{"S":"ann0"}}"#]));
        assert!(
            near_names(&request("DynamoDB_20120810.BatchWriteItem", &batch), &there).is_empty()
        );
    }

    #[test]
    fn somebody_elses_item_of_the_same_key_is_another_item() {
        let put = json!({"TableName": "people", "Item": {"mail": {"S": "ann"}}});
        let same =
            same_by_somebody(&request("DynamoDB_20120810.PutItem", &put)).expect("a request");
        let item = json!({"mail": {"S": "ann"}, "MadeBy": {"S": "somebody"}});
        assert_eq!(body(&same)["Item"], item);
        assert!(same_by_somebody(&request("DynamoDB_20120810.GetItem", &put)).is_none());
    }

    #[test]
    fn guests_are_harmed_where_what_holds_them_is_still_there() {
        let before = account(&json!({}), &json!([]));
        let item = r#"{"mail":{"S":"somebody"}}"#;
        let after = account(&json!({"somebody": {"sub": 1}}), &json!([item]));
        let content = newcomers(&inhabitants(&before), inhabitants(&after));
        assert_eq!(content.len(), 2);
        let harmed = |found: &Value| harmed(&content, found, |_| false);
        assert!(harmed(&after).is_empty());
        let other = account(&json!({"somebody": {"sub": 2}}), &json!([]));
        let words = harmed(&other);
        assert_eq!(words[0], "cognito-idp pool_1 somebody has changed");
        assert_eq!(words[1], r#"dynamodb people {"mail":{"S":"somebody"}} is gone"#);
        assert!(harmed(&json!({"cognito-idp": {}, "dynamodb": {}})).is_empty());
        assert!(super::harmed(&content, &other, |place| place != "dynamodb people").len() == 1);
    }

    #[test]
    fn a_guest_belongs_to_the_picture_of_what_holds_it() {
        let mut picture = account(&json!({}), &json!([]));
        add_to(&mut picture["cognito-idp"]["pool_1"], "ann", &json!(1));
        add_to(&mut picture["cognito-idp"]["pool_1"], "client c2", &json!(2));
        assert_eq!(picture["cognito-idp"]["pool_1"]["clients"], json!({"c1": {}, "c2": 2}));
        let people = &mut picture["dynamodb"]["people"];
        for item in [r#"{"mail":{"S":"b"}}"#, r#"{"mail":{"S":"a"},"n":{"N":"1"}}"#] {
            let key = key_of(people, &serde_json::from_str(item).expect("JSON")).to_string();
            add_to(people, &key, &json!(item));
        }
        let changed = r#"{"mail":{"S":"b"},"n":{"N":"2"}}"#;
        add_to(people, r#"{"mail":{"S":"b"}}"#, &json!(changed));
        assert_eq!(picture["cognito-idp"]["pool_1"]["users"], json!({"ann": 1}));
        assert_eq!(
            picture["dynamodb"]["people"]["Items"],
            json!([r#"{"mail":{"S":"a"},"n":{"N":"1"}}"#, changed])
        );
        assert!(picture["dynamodb"]["people"].get("users").is_none());
    }
}

//! Replies of a server that does not show tags, as some do for a while and some always.

use serde_json::Value;

use local_aws::Service;
use local_aws::http::Response;
use local_aws::protocol::AwsError;

/// Members that hold tags.
const MEMBERS: [&str; 3] = ["Tags", "tags", "UserPoolTags"];

/// The same reply, in which nothing has a tag.
pub(super) fn hidden(service: &dyn Service, operation: &str, response: &Response) -> Response {
    if operation == "GetBucketTagging" && response.status == 200 {
        let error = AwsError::new(404, "NoSuchTagSet", "The TagSet does not exist");
        return service.protocol().error(&error, "hidden");
    }
    let body = match serde_json::from_slice::<Value>(&response.body) {
        Ok(mut body) => {
            remove(&mut body);
            body.to_string()
        }
        Err(_) => without_elements(&String::from_utf8_lossy(&response.body)),
    };
    Response { body: body.into(), ..response.clone() }
}

fn remove(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !MEMBERS.contains(&name.as_str()));
            fields.values_mut().for_each(remove);
        }
        Value::Array(items) => items.iter_mut().for_each(remove),
        _ => {}
    }
}

fn without_elements(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<Tags>") {
        kept.push_str(before);
        kept.push_str("<Tags/>");
        rest = after.split_once("</Tags>").map_or("", |(_, behind)| behind);
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_are_in_no_reply() {
        let mut body = json!({"UserPool": {"Id": "a", "UserPoolTags": {"k": "v"}}, "tags": {}, "l": [{"Tags": 1}]});
        remove(&mut body);
        assert_eq!(body, json!({"UserPool": {"Id": "a"}, "l": [{}]}));
        assert_eq!(without_elements("<a><Tags><m/></Tags><b/></a>"), "<a><Tags/><b/></a>");
        assert_eq!(without_elements("<a/>"), "<a/>");
    }
}

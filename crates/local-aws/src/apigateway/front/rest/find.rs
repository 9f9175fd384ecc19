//! Which method of which resource a request is for.

use std::cmp::Reverse;

use hyper::Method;
use serde_json::{Map, Value};

use super::super::routes::{Segment, matched, segments, weight};
use crate::apigateway::rest_apis::Parts;

type Fields = Map<String, Value>;

/// The resource, its method, and the variables of its path. A slash at the end of a path says nothing.
pub(super) fn find<'r>(
    resources: &'r Parts,
    method: &Method,
    path: &str,
) -> Option<(&'r Fields, &'r Fields, Fields)> {
    let path = match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let mut found: Vec<_> = resources
        .values()
        .filter_map(|resource| {
            let methods = resource.get("resourceMethods")?.as_object()?;
            let own = methods.get(method.as_str()).or_else(|| methods.get("ANY"))?.as_object()?;
            let segments = segments(resource.get("path")?.as_str()?)?;
            let variables = matched(&segments, path)?;
            let is_whole = !matches!(segments.last(), Some(Segment::Greedy(_)));
            Some((resource, own, variables, (is_whole, weight(&segments))))
        })
        .collect();
    found.sort_by_key(|(_, _, _, rank)| Reverse(rank.clone()));
    found.into_iter().next().map(|(resource, own, variables, _)| (resource, own, variables))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_resource_that_says_most_is_taken() {
        let resources: Parts = [
            ("/", "GET"),
            ("/pets", "GET"),
            ("/pets/{id}", "ANY"),
            ("/pets/dog", "GET"),
            ("/{proxy+}", "ANY"),
        ]
        .iter()
        .map(|(path, method)| {
            let own = json!({"path": path, "resourceMethods": {*method: {"httpMethod": method}}});
            ((*path).to_owned(), own.as_object().cloned().unwrap_or_default())
        })
        .collect();
        for (method, path, resource, variables) in [
            (Method::GET, "/", "/", json!({})),
            (Method::GET, "/pets", "/pets", json!({})),
            (Method::GET, "/pets/", "/pets", json!({})),
            (Method::POST, "/pets", "/{proxy+}", json!({"proxy": "pets"})),
            (Method::GET, "/pets/a%20b", "/pets/{id}", json!({"id": "a b"})),
            (Method::GET, "/pets/dog", "/pets/dog", json!({})),
            (Method::PUT, "/pets/dog", "/pets/{id}", json!({"id": "dog"})),
            (Method::PUT, "/x/y", "/{proxy+}", json!({"proxy": "x/y"})),
        ] {
            let (found, _, got) = find(&resources, &method, path).expect(path);
            assert_eq!(found["path"], resource, "{method} {path}");
            assert_eq!(Value::Object(got), variables, "{method} {path}");
        }
        assert!(find(&resources, &Method::POST, "/").is_none());
    }
}

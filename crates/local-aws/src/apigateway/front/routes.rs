//! Which route a request is for.

use std::cmp::Reverse;

use hyper::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::apigateway::http_apis::{DEFAULT, Parts};

const METHODS: [&str; 8] = ["ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// What a route is for.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::apigateway) enum RouteKey<'k> {
    /// What no other route is for.
    Default,
    /// A method and a path.
    Of {
        /// `ANY` for all.
        method: &'k str,
        /// Between slashes.
        segments: Vec<Segment<'k>>,
    },
}

/// A part of a route's path.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(in crate::apigateway) enum Segment<'k> {
    /// As it is.
    Text(&'k str),
    /// `{name}`: anything.
    Variable(&'k str),
    /// `{name+}`: all that follows.
    Greedy(&'k str),
}

impl<'k> RouteKey<'k> {
    /// A key such as `GET /products/{id}`.
    pub(in crate::apigateway) fn parse(key: &'k str) -> Option<Self> {
        if key == DEFAULT {
            return Some(Self::Default);
        }
        let (method, path) = key.split_once(' ')?;
        let segments = segments(path)?;
        let greedy = segments.iter().position(|it| matches!(it, Segment::Greedy(_)));
        let is_last = greedy.is_none_or(|at| at + 1 == segments.len());
        (METHODS.contains(&method) && is_last).then_some(Self::Of { method, segments })
    }
}

/// The parts of a path with variables.
pub(super) fn segments(path: &str) -> Option<Vec<Segment<'_>>> {
    path.strip_prefix('/')?.split('/').map(segment).collect()
}

fn segment(part: &str) -> Option<Segment<'_>> {
    let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
        return (!part.contains(['{', '}', ' '])).then_some(Segment::Text(part));
    };
    let greedy = name.strip_suffix('+');
    let name = greedy.unwrap_or(name);
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.is_empty() || !name.chars().all(is_word) {
        return None;
    }
    Some(if greedy.is_some() { Segment::Greedy(name) } else { Segment::Variable(name) })
}

/// A path as people read it.
pub(super) fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// The variables of a route's path, where it is that of a request.
pub(super) fn matched(segments: &[Segment<'_>], path: &str) -> Option<Map<String, Value>> {
    let parts: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let mut variables = Map::new();
    for (at, segment) in segments.iter().enumerate() {
        let part = *parts.get(at)?;
        match segment {
            Segment::Text(text) if decoded(part) == *text => {}
            Segment::Text(_) => return None,
            Segment::Variable(_) | Segment::Greedy(_) if part.is_empty() => return None,
            Segment::Variable(name) => {
                variables.insert((*name).to_owned(), json!(decoded(part)));
            }
            Segment::Greedy(name) => {
                let rest = parts.get(at..).unwrap_or_default().join("/");
                variables.insert((*name).to_owned(), json!(decoded(&rest)));
                return Some(variables);
            }
        }
    }
    (parts.len() == segments.len()).then_some(variables)
}

/// How much a path says: texts more than variables, those more than what takes all; the first part counts most.
pub(super) fn weight(segments: &[Segment<'_>]) -> Vec<u8> {
    let weigh = |segment: &Segment<'_>| match segment {
        Segment::Text(_) => 2,
        Segment::Variable(_) => 1,
        Segment::Greedy(_) => 0,
    };
    segments.iter().map(weigh).collect()
}

/// A route, and the variables of its path.
type Way<'r> = (&'r Map<String, Value>, Map<String, Value>);

/// The route that says most of a request, and the variables of its path.
pub(super) fn find<'r>(routes: &'r Parts, method: &Method, path: &str) -> Option<Way<'r>> {
    let mut found: Vec<_> = routes
        .values()
        .filter_map(|route| {
            let key = RouteKey::parse(route.get("RouteKey")?.as_str()?)?;
            let RouteKey::Of { method: of, segments } = key else {
                return Some((route, Map::new(), (false, Vec::new(), false)));
            };
            let is_own = of == method.as_str();
            if !is_own && of != "ANY" {
                return None;
            }
            let variables = matched(&segments, path)?;
            let is_whole = !matches!(segments.last(), Some(Segment::Greedy(_)));
            Some((route, variables, (is_whole, weight(&segments), is_own)))
        })
        .collect();
    found.sort_by_key(|(_, _, rank)| Reverse(rank.clone()));
    found.into_iter().next().map(|(route, variables, _)| (route, variables))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_method_and_a_path() {
        for key in ["$default", "GET /", "ANY /{proxy+}", "POST /a/{b}/c"] {
            assert!(RouteKey::parse(key).is_some(), "{key}");
        }
        for key in ["", "GET", "FETCH /", "GET x", "GET /{a+}/b", "GET /{}", "GET /a{b}", "get /"] {
            assert!(RouteKey::parse(key).is_none(), "{key}");
        }
    }

    #[test]
    fn the_route_that_says_most_is_taken() {
        let keys = [
            "$default",
            "ANY /{proxy+}",
            "GET /pets/{id}",
            "ANY /pets/{id}",
            "GET /pets/dog",
            "GET /pets/{proxy+}",
            "GET /",
        ];
        let routes: Parts = keys
            .iter()
            .map(|key| {
                let route = json!({"RouteKey": key}).as_object().cloned().unwrap_or_default();
                ((*key).to_owned(), route)
            })
            .collect();
        for (method, path, key, variables) in [
            (Method::GET, "/pets/dog", "GET /pets/dog", json!({})),
            (Method::GET, "/pets/a%20b", "GET /pets/{id}", json!({"id": "a b"})),
            (Method::POST, "/pets/dog", "ANY /pets/{id}", json!({"id": "dog"})),
            (Method::GET, "/pets/dog/1", "GET /pets/{proxy+}", json!({"proxy": "dog/1"})),
            (Method::PUT, "/x/y", "ANY /{proxy+}", json!({"proxy": "x/y"})),
            (Method::GET, "/", "GET /", json!({})),
            (Method::PUT, "/", "$default", json!({})),
        ] {
            let (route, found) = find(&routes, &method, path).expect(path);
            assert_eq!(route["RouteKey"], key, "{method} {path}");
            assert_eq!(Value::Object(found), variables, "{method} {path}");
        }
    }
}

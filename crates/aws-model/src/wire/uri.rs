//! Percent-encoding, queries and templates of paths.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but letters, digits and `-._~`.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, but for slashes.
const PATH: &AsciiSet = &STRICT.remove(b'/');

/// One label of a path, or a name or value of a query.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, STRICT).to_string()
}

/// Several labels of a path.
pub(crate) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// A name or value of a form: a space is a plus.
pub(crate) fn encode_form(text: &str) -> String {
    encode(text).replace("%20", "+")
}

/// What percent-encoded text says.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The names and values of a query or form, in order.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let part = |text: &str| decode(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            pair.split_once('=').map_or_else(
                || (part(pair), String::new()),
                |(name, value)| (part(name), part(value)),
            )
        })
        .collect()
}

/// A piece of a template such as `/{Bucket}/{Key+}?acl`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// What stands there as it is.
    Fixed(&'t str),
    /// One label of the path.
    Label(&'t str),
    /// The rest of the path, with its slashes.
    Greedy(&'t str),
}

/// The pieces of a template.
pub(crate) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((fixed, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        if !fixed.is_empty() {
            pieces.push(Piece::Fixed(fixed));
        }
        pieces.push(name.strip_suffix('+').map_or(Piece::Label(name), Piece::Greedy));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Fixed(rest));
    }
    pieces
}

/// The path and the query of a template.
pub(crate) fn halves(template: &str) -> (&str, &str) {
    template.split_once('?').unwrap_or((template, ""))
}

/// The labels that a path has where a template has names; nothing where it is another path.
pub(crate) fn matches<'t>(template: &'t str, path: &str) -> Option<Vec<(&'t str, String)>> {
    let mut labels = Vec::new();
    let pieces = pieces(template);
    let mut rest = path;
    for (place, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Fixed(fixed) => rest = rest.strip_prefix(fixed)?,
            Piece::Label(name) => {
                let end = end_of(rest, &pieces[place + 1..], false)?;
                if end == 0 || rest[..end].contains('/') {
                    return None;
                }
                labels.push((*name, decode(&rest[..end])));
                rest = &rest[end..];
            }
            Piece::Greedy(name) => {
                let end = end_of(rest, &pieces[place + 1..], true)?;
                if end == 0 {
                    return None;
                }
                labels.push((*name, decode(&rest[..end])));
                rest = &rest[end..];
            }
        }
    }
    (rest.is_empty() || rest == "/").then_some(labels)
}

/// Where a label ends: at what follows it in the template, for a greedy one at the last such place.
fn end_of(rest: &str, following: &[Piece<'_>], greedy: bool) -> Option<usize> {
    match following.first() {
        Some(Piece::Fixed(fixed)) if greedy => rest.rfind(fixed),
        Some(Piece::Fixed(fixed)) => rest.find(fixed),
        _ if greedy => Some(rest.len()),
        _ => Some(rest.find('/').unwrap_or(rest.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::{encode, encode_path, matches, pairs};

    fn labels(template: &str, path: &str) -> Option<Vec<(String, String)>> {
        matches(template, path).map(|labels| {
            labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        })
    }

    #[test]
    fn a_template_finds_its_labels_again() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            labels("/{Bucket}/{Key+}", "/b/a/b%20c"),
            Some(vec![pair("Bucket", "b"), pair("Key", "a/b c")])
        );
        assert_eq!(
            labels("/functions/{Name}/invocations", "/functions/f/invocations"),
            Some(vec![pair("Name", "f")])
        );
        assert_eq!(labels("/functions/{Name}", "/functions/f/invocations"), None);
        assert_eq!(labels("/{Bucket}", "/"), None);
        assert_eq!(labels("/a/{Arn+}/tags", "/a/x/tags/tags"), Some(vec![pair("Arn", "x/tags")]));
    }

    #[test]
    fn texts_are_encoded_as_signatures_need_it() {
        assert_eq!(encode("a b/ü~*"), "a%20b%2F%C3%BC~%2A");
        assert_eq!(encode_path("a b/c"), "a%20b/c");
        assert_eq!(
            pairs("a=1+2&b&c=%2B"),
            [("a".into(), "1 2".into()), ("b".into(), String::new()), ("c".into(), "+".into())]
        );
    }
}

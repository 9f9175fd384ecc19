//! The little XML that requests hold, as data.

use serde_json::{Map, Value};

/// Deeper elements are none that a request has.
const DEEPEST: usize = 16;

/// Elements that are items of a list, even alone.
const ITEMS: [&str; 6] = ["Tag", "Rule", "Object", "member", "FilterRule", "Event"];

/// The outermost element: its name, and what is in it.
pub(super) fn element(text: &str) -> Option<(String, Value)> {
    let text = text.trim_start();
    let text = match text.strip_prefix("<?") {
        Some(rest) => rest.split_once("?>")?.1.trim_start(),
        None => text,
    };
    let (name, value, rest) = parse(text, DEEPEST)?;
    rest.trim().is_empty().then(|| (name.to_owned(), value))
}

/// An element at the start of a text, and what comes after it.
fn parse(text: &str, levels: usize) -> Option<(&str, Value, &str)> {
    let levels = levels.checked_sub(1)?;
    let (tag, mut rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_empty = tag.ends_with('/');
    let name = tag.trim_end_matches('/').split_whitespace().next()?;
    if is_empty {
        return Some((name, Value::from(""), rest));
    }
    let mut children = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix("</") {
            let (closing, after) = end.split_once('>')?;
            let value = gathered(children);
            return (closing.trim() == name).then_some((name, value, after));
        }
        if rest.starts_with('<') {
            let (child, value, after) = parse(rest, levels)?;
            children.push((child, value));
            rest = after;
            continue;
        }
        let (content, after) = rest.split_at(rest.find('<')?);
        rest = after;
        if children.is_empty() && rest.starts_with("</") {
            let (closing, after) = rest.strip_prefix("</")?.split_once('>')?;
            return (closing.trim() == name).then(|| (name, unescaped(content).into(), after));
        }
    }
}

fn gathered(children: Vec<(&str, Value)>) -> Value {
    if children.is_empty() {
        return Value::from("");
    }
    if children.iter().all(|(name, _)| ITEMS.contains(name)) {
        return children.into_iter().map(|(_, value)| value).collect();
    }
    children.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_xml_is_nothing() {
        for text in ["", "3 bytes", "<a>", "<a></b>", "<a/><b/>", "<a>x", &"<a>".repeat(40)] {
            assert_eq!(element(text), None, "{text}");
        }
    }

    #[test]
    fn items_are_lists_even_alone() {
        let text = "<Tagging>\n <TagSet><Tag><Key>a</Key><Value>1 &lt; 2</Value></Tag></TagSet>\n</Tagging>";
        let expected = json!({"TagSet": [{"Key": "a", "Value": "1 < 2"}]});
        assert_eq!(element(text), Some(("Tagging".to_owned(), expected)));
    }
}

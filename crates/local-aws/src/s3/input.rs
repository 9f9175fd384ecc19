//! XML that clients send.

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

use super::error;
use crate::protocol::AwsError;

/// An element: its name, its text, and the elements in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    name: String,
    text: String,
    children: Vec<Node>,
}

/// Elements within one another, at most.
const DEPTH: usize = 8;

/// Reads a document whose root has that name.
pub(super) fn document(body: &[u8], root: &str) -> Result<Node, AwsError> {
    let text = std::str::from_utf8(body).map_err(|_| error::malformed_xml())?;
    // The decoder takes the end of the text for that of all elements.
    if !is_closed(text.trim_end(), root) {
        return Err(error::malformed_xml());
    }
    let mut document = Document::new(text);
    let node = document
        .root_element()
        .and_then(|mut element| read(&mut element, DEPTH))
        .map_err(|_| error::malformed_xml())?;
    if node.name == root { Ok(node) } else { Err(error::malformed_xml()) }
}

fn is_closed(text: &str, root: &str) -> bool {
    let last = text.strip_suffix('>').and_then(|text| text.rsplit_once("</"));
    let is_root = |name: &str| name.trim_end().rsplit(':').next() == Some(root);
    text.ends_with("/>") || last.is_some_and(|(_, name)| is_root(name))
}

fn read(element: &mut ScopedDecoder<'_, '_>, depth: usize) -> Result<Node, XmlDecodeError> {
    let deeper = depth.checked_sub(1).ok_or_else(|| XmlDecodeError::custom("too deep"))?;
    let mut node = Node { name: element.start_el().local().to_owned(), ..Node::default() };
    // The decoder reads the text of an element or what is in it, and must be told which.
    if LEAVES.contains(&node.name.as_str()) {
        node.text = try_data(element)?.into_owned();
        return Ok(node);
    }
    while let Some(mut child) = element.next_tag() {
        node.children.push(read(&mut child, deeper)?);
    }
    Ok(node)
}

/// The elements whose text S3 reads; the text of others says nothing to it.
const LEAVES: [&str; 6] = ["ETag", "Key", "LocationConstraint", "PartNumber", "Quiet", "Value"];

impl Node {
    /// The elements of that name in it.
    pub(super) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element of that name in it.
    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of that name in it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_their_text_are_read() {
        let body = b"<?xml version=\"1.0\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                     <Object><Key>a &amp; b</Key></Object><Object><Key>\xc3\xa9</Key></Object><Quiet>true</Quiet></Delete>";
        let delete = document(body, "Delete").expect("well-formed");
        let keys: Vec<_> = delete.all("Object").filter_map(|object| object.text("Key")).collect();
        assert_eq!(keys, ["a & b", "é"]);
        assert_eq!(delete.text("Quiet"), Some("true"));
        assert_eq!(delete.text("Other"), None);
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        for body in [&b""[..], b"<", b"text", b"<Delete>", b"<Other/>", b"\xff", deep.as_bytes()] {
            assert_eq!(document(body, "Delete").expect_err("no document").code, "MalformedXML");
        }
    }
}

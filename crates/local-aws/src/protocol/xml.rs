//! XML, written: elements, text, escapes; nothing else of XML is needed.

use super::AwsError;
use crate::http::Response;

/// An element: its name, and text or children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    name: String,
    namespace: Option<&'static str>,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Text(String),
    Children(Vec<Element>),
}

impl Element {
    /// An element that holds others, none yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: None, content: Content::Children(Vec::new()) }
    }

    /// An element that holds text.
    #[must_use]
    pub fn leaf(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: None, content: Content::Text(text.into()) }
    }

    /// The element with `xmlns`.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &'static str) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// The element with one more child.
    #[must_use]
    pub fn child(mut self, child: Element) -> Self {
        match &mut self.content {
            Content::Children(children) => children.push(child),
            Content::Text(_) => self.content = Content::Children(vec![child]),
        }
        self
    }

    /// The element with more children.
    #[must_use]
    pub fn children(self, children: impl IntoIterator<Item = Element>) -> Self {
        children.into_iter().fold(self, Element::child)
    }

    /// The element with one more child, `<name>text</name>`.
    #[must_use]
    pub fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.child(Element::leaf(name, text))
    }

    /// The element with one more child where there is a value.
    #[must_use]
    pub fn optional(self, name: &str, text: Option<impl Into<String>>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// The document.
    #[must_use]
    pub fn to_document(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out.push('\n');
        out
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        if let Some(namespace) = self.namespace {
            out.push_str(" xmlns=\"");
            escape(namespace, out);
            out.push('"');
        }
        match &self.content {
            Content::Children(children) if children.is_empty() => {
                out.push_str("/>");
                return;
            }
            Content::Children(children) => {
                out.push('>');
                for child in children {
                    child.write(out);
                }
            }
            Content::Text(text) => {
                out.push('>');
                escape(text, out);
            }
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

/// An error as restXml has it: its members stand beside its code.
#[must_use]
pub fn error(error: &AwsError, request_id: &str) -> Response {
    let mut document =
        Element::new("Error").text("Code", &error.code).text("Message", &error.message);
    for (name, value) in &error.fields {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        document = document.text(name, text);
    }
    let document = document.text("RequestId", request_id).text("HostId", "playbook");
    Response::new(error.status, "application/xml", document.to_document())
}

/// The text of the first element of that name in a document that this module has written.
#[must_use]
pub fn text_of(document: &[u8], name: &str) -> Option<String> {
    let document = std::str::from_utf8(document).ok()?;
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#xD;", "\r"),
        ("&amp;", "&"),
    ];
    let plain = |text: String, (entity, character): (&str, &str)| text.replace(entity, character);
    Some(entities.into_iter().fold(text.to_owned(), plain))
}

/// What XML 1.0 cannot carry even escaped becomes U+FFFD.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // A bare carriage return would be read back as a line feed.
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let element = Element::leaf("a", "<&>\"'\r\n\u{1}é");
        assert_eq!(element.to_document(), "<a>&lt;&amp;&gt;&quot;&apos;&#xD;\n\u{fffd}é</a>\n");
    }

    #[test]
    fn what_was_written_can_be_read() {
        let document = Element::new("a").text("b", "<&>\"'\r").text("b", "2").to_document();
        assert_eq!(text_of(document.as_bytes(), "b").as_deref(), Some("<&>\"'\r"));
        assert_eq!(text_of(document.as_bytes(), "c"), None);
    }

    #[test]
    fn errors_name_the_request() {
        let refused =
            AwsError::new(404, "NoSuchKey", "no <key>").with("Key", "a&b").with("Size", 3);
        let response = error(&refused, "id");
        assert_eq!(response.status, 404);
        assert_eq!(
            String::from_utf8_lossy(&response.body),
            "<Error><Code>NoSuchKey</Code><Message>no &lt;key&gt;</Message><Key>a&amp;b</Key><Size>3</Size>\
             <RequestId>id</RequestId><HostId>playbook</HostId></Error>\n"
        );
    }

    #[test]
    fn elements_nest() {
        let element = Element::new("a")
            .in_namespace("https://x/?a&b")
            .text("b", "1")
            .optional("c", None::<String>)
            .optional("d", Some("2"))
            .child(Element::new("e"));
        assert_eq!(
            element.to_document(),
            "<a xmlns=\"https://x/?a&amp;b\"><b>1</b><d>2</d><e/></a>\n"
        );
    }
}

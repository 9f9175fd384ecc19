//! XML: a document read into elements, and elements written.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use super::{WireError, Wired};

/// How deep elements may stand in each other.
const DEEPEST: usize = 128;

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Its name, without a prefix when read.
    pub(crate) name: String,
    /// Its attributes, with their prefixes.
    pub(crate) attributes: Vec<(String, String)>,
    /// The elements in it.
    pub(crate) children: Vec<Element>,
    /// The text in it.
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    pub(crate) fn with_text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), ..Self::default() }
    }

    /// The first element of that name in it.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of that name in it.
    pub(crate) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// Its text in the document.
    pub(crate) fn write(&self) -> String {
        let mut text = String::new();
        self.write_to(&mut text);
        text
    }

    fn write_to(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(value, true, out);
            out.push('"');
        }
        if self.children.is_empty() && self.text.is_empty() {
            out.push_str(" />");
            return;
        }
        out.push('>');
        escape(&self.text, false, out);
        for child in &self.children {
            child.write_to(out);
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

/// A carriage return would come back as a line feed if it stood there itself.
fn escape(text: &str, attribute: bool, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' if attribute => out.push_str("&#10;"),
            '\t' if attribute => out.push_str("&#09;"),
            other => out.push(other),
        }
    }
}

/// The root element of a document.
pub(crate) fn parse(body: &[u8]) -> Wired<Element> {
    let fail = |what: String| WireError::new(format!("the body is no XML: {what}"));
    let text = std::str::from_utf8(body).map_err(|error| fail(error.to_string()))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().map_err(|error| fail(error.to_string()))? {
            Event::Start(start) if open.len() < DEEPEST => open.push(element(&start)?),
            Event::Start(_) => {
                return Err(fail("elements stand too deep in each other".to_owned()));
            }
            Event::Empty(start) => close(&mut open, &mut root, element(&start)?)?,
            Event::End(_) => {
                let element = open
                    .pop()
                    .ok_or_else(|| fail("an element ends that was not begun".to_owned()))?;
                close(&mut open, &mut root, element)?;
            }
            Event::Text(text) => {
                if let Some(last) = open.last_mut() {
                    last.text
                        .push_str(&text.xml10_content().map_err(|error| fail(error.to_string()))?);
                }
            }
            Event::CData(text) => {
                if let Some(last) = open.last_mut() {
                    last.text
                        .push_str(&text.xml10_content().map_err(|error| fail(error.to_string()))?);
                }
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| fail(error.to_string()))?;
                let letter = unescape(&format!("&{name};"))
                    .map_err(|error| fail(error.to_string()))?
                    .into_owned();
                if let Some(last) = open.last_mut() {
                    last.text.push_str(&letter);
                }
            }
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
    }
    if let Some(left) = open.last() {
        return Err(fail(format!("<{}> does not end", left.name)));
    }
    root.ok_or_else(|| fail("there is no element in it".to_owned()))
}

/// Puts a finished element where it belongs. Space between elements is no text.
fn close(open: &mut [Element], root: &mut Option<Element>, mut element: Element) -> Wired<()> {
    if !element.children.is_empty() && element.text.trim().is_empty() {
        element.text.clear();
    }
    match open.last_mut() {
        Some(around) => around.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err(WireError::new("the body is no XML: there is a second root element")),
    }
    Ok(())
}

fn element(start: &BytesStart<'_>) -> Wired<Element> {
    let fail = |what: String| WireError::new(format!("the body is no XML: {what}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut element = Element::new(text(start.local_name().as_ref()));
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| fail(error.to_string()))?;
        let value = text(&attribute.value);
        let value = unescape(&value).map_err(|error| fail(error.to_string()))?.into_owned();
        element.attributes.push((text(attribute.key.as_ref()), value));
    }
    Ok(element)
}

#[cfg(test)]
mod tests {
    use super::{Element, parse};

    #[test]
    fn what_is_written_is_read_again() {
        let mut root = Element::new("Root");
        root.attributes.push(("xmlns".into(), "http://a\"b".into()));
        root.children.push(Element::with_text("a", "x < y & z\r\n é"));
        root.children.push(Element::new("b"));
        let text = root.write();
        assert_eq!(
            text,
            "<Root xmlns=\"http://a&quot;b\"><a>x &lt; y &amp; z&#xD;\n é</a><b /></Root>"
        );
        assert_eq!(parse(text.as_bytes()), Ok(root));
    }

    #[test]
    fn bodies_that_are_no_xml_are_refused() {
        for body in ["", "<a>", "</a>", "<a></b>", "<a>&nothing;</a>", "text", "<a/><b/>"] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
        assert!(parse("<a>".repeat(1000).as_bytes()).is_err());
    }
}

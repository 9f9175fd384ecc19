//! What a code means: a page each, with a playbook that is wrong and one that is right.

use super::Code;

/// What one code means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// One sentence.
    pub summary: &'static str,
    /// The rest, possibly empty: paragraphs with blank lines between.
    pub details: String,
    /// What gives this code; empty where no file by itself does.
    pub wrong: Option<Example>,
    /// The same, corrected.
    pub right: Option<Example>,
    /// Files that both need.
    pub files: Vec<Example>,
}

/// A text to look at, which tests read as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The name of the file.
    pub name: &'static str,
    /// What is in it.
    pub text: &'static str,
}

const FENCE: &str = "```";

impl Code {
    /// What it means.
    #[must_use]
    pub fn page(self) -> Page {
        let text = self.text();
        let (summary, mut rest) = text.split_once('\n').unwrap_or((text, ""));
        let mut page =
            Page { summary, details: String::new(), wrong: None, right: None, files: Vec::new() };
        while let Some((before, after)) = rest.split_once(FENCE) {
            page.details.push_str(before);
            let (head, body) = after.split_once('\n').unwrap_or((after, ""));
            let (text, after) = body.split_once(FENCE).unwrap_or((body, ""));
            rest = after;
            let mut words = head.split_whitespace().skip(1);
            match (words.next(), words.next()) {
                (Some("wrong"), name) => {
                    page.wrong = Some(Example { name: name.unwrap_or("playbook.yaml"), text });
                }
                (Some("right"), name) => {
                    page.right = Some(Example { name: name.unwrap_or("playbook.yaml"), text });
                }
                (_, Some(name)) => page.files.push(Example { name, text }),
                _ => {}
            }
        }
        page.details.push_str(rest);
        page.details = page.details.trim().to_owned();
        page
    }
}

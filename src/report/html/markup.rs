//! Text as markup.

use std::fmt::Write as _;

use serde_json::Value;

use crate::report::safe;

/// What is shown of one request, answer or text.
const LONGEST: usize = 3_000;
/// What is shown of all of them together; behind that, each is cut short.
const LONGEST_IN_ALL: usize = 700_000;
/// Then no more than this of each.
const SHORT: usize = 300;

/// A page as far as it is written.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) text: String,
    /// How much was spent on data.
    spent: usize,
}

/// Text in which nothing is markup, and nothing moves or hides anything.
pub(super) fn escaped(text: &str) -> String {
    let mut markup = String::with_capacity(text.len());
    for (index, line) in safe::lines(text).enumerate() {
        if index > 0 {
            markup.push('\n');
        }
        for c in line.chars() {
            match c {
                '&' => markup.push_str("&amp;"),
                '<' => markup.push_str("&lt;"),
                '>' => markup.push_str("&gt;"),
                '"' => markup.push_str("&quot;"),
                '\'' => markup.push_str("&#39;"),
                c => markup.push(c),
            }
        }
    }
    markup
}

impl Page {
    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.text, "<p>{}</p>", escaped(text));
    }

    /// Text as it is written, not longer than anybody reads.
    pub(super) fn block(&mut self, text: &str) {
        let most = if self.spent > LONGEST_IN_ALL { SHORT } else { LONGEST };
        let shown = match text.char_indices().nth(most) {
            None => escaped(text),
            Some((at, _)) => {
                let (head, rest) = text.split_at(at);
                format!("{}\n… and {} characters more", escaped(head), rest.chars().count())
            }
        };
        self.spent += shown.len();
        let _ = writeln!(self.text, "<pre>{shown}</pre>");
    }

    /// Data.
    pub(super) fn data(&mut self, value: &Value) {
        match value {
            Value::Null => {}
            Value::String(text) => self.block(text),
            value => self.block(&format!("{value:#}")),
        }
    }
}

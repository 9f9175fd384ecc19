//! What of answers and logs has to be the same.

use std::fmt::Write;

use regex_lite::Regex;

/// What came of a function.
pub(crate) struct Seen {
    /// Whether each invocation failed, and its payload.
    pub(crate) answers: Vec<(bool, String)>,
    pub(crate) log: Vec<String>,
    /// What the paths of the client that ran it have in them.
    pub(crate) client_folders: Vec<String>,
}

/// Answers and log without times, without what Lambda itself writes, without the frames of the client.
pub(crate) fn shown(seen: &Seen) -> String {
    let mut text = String::new();
    for (failed, payload) in &seen.answers {
        if payload.len() > LONG {
            let _ = writeln!(text, "{failed} {} bytes, sum {}", payload.len(), sum(payload));
            continue;
        }
        let _ =
            writeln!(text, "{} {}", if *failed { "error" } else { "answer" }, seen.plain(payload));
    }
    // What Node.js itself says of an error that nobody caught, and that the client has already told: it may have been ended
    // before it came to say it.
    let mut in_report = false;
    for record in seen.log.iter().filter(|record| !is_lambdas(record)) {
        in_report |= record.starts_with("node:internal/process/promises");
        if !in_report {
            let _ = writeln!(text, "log {:?}", seen.plain(record));
        }
        in_report &= !record.starts_with("Node.js v");
    }
    text
}

/// Longer answers are compared by their sum.
const LONG: usize = 200_000;

fn sum(text: &str) -> u64 {
    text.bytes().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
}

/// What Lambda writes around what a function writes, or this AWS.
fn is_lambdas(record: &str) -> bool {
    let starts = ["INIT_START ", "INIT_REPORT ", "START ", "END ", "REPORT "];
    let is_platform = record.contains(r#""type":"platform."#);
    starts.iter().any(|start| record.starts_with(start))
        || is_platform
        || record.contains("The local AWS of playbook found no")
}

impl Seen {
    fn plain(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (pattern, with) in [
            // Times.
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
            // What Node.js says when it ends by itself.
            (r"file://", ""),
            (r"Node\.js v[0-9.]+", "Node.js"),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, with).into_owned();
        }
        for folder in &self.client_folders {
            let pattern = format!(r#"[^\s"'(]*{}[^\s"':,)\\]*"#, regex_escape(folder));
            text = Regex::new(&pattern).unwrap().replace_all(&text, "/var/runtime/x").into_owned();
        }
        without_client(&text)
    }
}

/// Leaves out the frames of the client and of the interpreter: how it is built is its own.
fn without_client(text: &str) -> String {
    let mut text = text.to_owned();
    for pattern in [
        // A frame of Node.js in a list, in a stack within a text, in a line of its own.
        r#",?"[ ]*at [^"]*(/var/runtime/|node:)[^"]*""#,
        r#"\\n[ ]*at [^"\\]*(/var/runtime/|node:)[^"\\]*"#,
        r"\n[ ]*at [^\n]*(/var/runtime/|node:)[^\n]*",
        // Where Node.js says that it found an error.
        r"(/var/runtime/|node:)[^\n]*\n[^\n]*\n *\^\n",
        // A frame of Python, with its line of code.
        r#"[\s\u{a0}]*File "/var/runtime/[^"]*", line \d+, in \w+[\r\n]+[\s\u{a0}]*[^\r\n]*"#,
        r#""[ ]*File \\"/var/runtime/[^"]*\\", line \d+, in \w+\\n[^"]*\\n""#,
        // What required the first file.
        r"(\\n|\n)?- /var/runtime/[^\s\\]*(index|bootstrap|x|handler)[.a-z]*",
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, "").into_owned();
    }
    let commas = Regex::new(r"\[(, )+|(, )+\]").unwrap();
    let bracket = |found: &regex_lite::Captures<'_>| found[0].replace(", ", "");
    commas.replace_all(&text, bracket).into_owned()
}

fn regex_escape(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_alphanumeric() { vec![c] } else { vec!['\\', c] }).collect()
}

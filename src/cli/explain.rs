//! `playbook explain [CODE]`: what an error or a warning means.

use std::fmt::Write as _;

use super::language_page;
use super::steps::wrapped;
use ::steps::Registry;
use language::diagnostic::{Code, Severity, did_you_mean};

/// Where lines end.
const WIDTH: usize = 88;

/// There is no such code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no code `{name}`")]
pub struct UnknownCode {
    name: String,
}

impl UnknownCode {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match did_you_mean(&self.name, Code::ALL.iter().map(|code| code.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`playbook explain` lists the codes there are".to_owned(),
        }
    }
}

/// Every code with its summary.
#[must_use]
pub fn list() -> String {
    let width = Code::ALL.iter().map(|code| code.as_str().len()).max().unwrap_or_default();
    let mut text = String::new();
    for (heading, severity) in [("Errors", Severity::Error), ("\nWarnings", Severity::Warning)] {
        let _ = writeln!(text, "{heading}:");
        for code in Code::ALL.iter().filter(|code| code.severity() == severity) {
            let summary = code.page().summary.trim_end_matches('.');
            let _ = writeln!(text, "  {:width$}  {summary}", code.as_str());
        }
    }
    text.push_str(
        "\n`playbook explain CODE` shows an example, and what to write instead;\n\
         `playbook explain language` what a playbook can say.\n",
    );
    text
}

/// The page of one code, with or without the brackets that it is shown in.
///
/// # Errors
/// There is no such code.
pub fn page(name: &str) -> Result<String, UnknownCode> {
    if name == language_page::NAME {
        return Ok(language_page::page(&Registry));
    }
    let bare = name.trim_start_matches("error").trim_start_matches("warning");
    let bare = bare.trim_matches(['[', ']']);
    let code = Code::named(bare).ok_or_else(|| UnknownCode { name: name.to_owned() })?;
    let page = code.page();
    let mut text = format!("{}[{code}]: {}\n", code.severity().as_str(), page.summary);
    if !page.details.is_empty() {
        text.push('\n');
        for line in wrapped(&page.details, WIDTH) {
            let _ = writeln!(text, "{line}");
        }
    }
    for (heading, example) in [("Wrong", &page.wrong), ("Right", &page.right)] {
        if let Some(example) = example {
            let _ = writeln!(text, "\n{heading}:");
            indent(&mut text, example.text);
        }
    }
    for file in &page.files {
        let _ = writeln!(text, "\nwith {}:", file.name);
        indent(&mut text, file.text);
    }
    Ok(text)
}

fn indent(text: &mut String, example: &str) {
    for line in example.lines() {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_and_has_a_page() {
        let list = list();
        for code in Code::ALL {
            assert!(list.contains(&format!("  {code} ")), "{code}");
            let page = page(code.as_str()).unwrap_or_default();
            let head = format!("{}[{code}]: ", code.severity().as_str());
            assert!(page.starts_with(&head), "{page}");
            let mut prose = page.lines().filter(|line| !line.starts_with("  "));
            assert!(prose.all(|line| line.chars().count() <= 120), "{page}");
        }
    }

    #[test]
    fn a_code_may_be_written_as_it_is_shown() {
        assert_eq!(page("error[unknown-key]"), page("unknown-key"));
        assert_eq!(page("[unused-input]"), page("warning[unused-input]"));
    }

    #[test]
    fn an_unknown_code_is_guessed_at() {
        let error = page("unknwn-key").expect_err("no such code");
        assert_eq!(error.to_string(), "there is no code `unknwn-key`");
        assert_eq!(error.help(), "did you mean `unknown-key`?");
        let error = page("E0308").expect_err("no such code");
        assert_eq!(error.help(), "`playbook explain` lists the codes there are");
    }
}

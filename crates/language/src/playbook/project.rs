//! `playbook.toml`: it marks the root of a project, and names the libraries that its playbooks share with others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::files::{FileKind, Files, tidy};
use super::load::read;
use crate::diagnostic::{Code, Diagnostic, Sources, Span};

/// The file that marks the root of a project.
pub const PROJECT_FILE: &str = "playbook.toml";

/// What may stand in it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    /// Directories of playbooks by name, relative to the file.
    #[serde(default)]
    libraries: BTreeMap<Spanned<String>, Spanned<String>>,
}

/// Directories of shared playbooks, by name.
pub(super) type Libraries = BTreeMap<String, PathBuf>;

/// The libraries of a project: those of its file, and those that `given` names instead or besides.
pub(super) fn libraries(
    root: &Path,
    given: Libraries,
    files: &dyn Files,
    sources: &mut Sources,
) -> (Libraries, Vec<Diagnostic>) {
    let path = root.join(PROJECT_FILE);
    if files.kind(&path) != Some(FileKind::File) {
        return (given, Vec::new());
    }
    let name = path.display().to_string();
    let text = match read(&path, files) {
        Ok(text) => text,
        Err(why) => {
            let fault = Diagnostic::new(Code::UnreadableFile, format!("{name}: {why}"))
                .help("write it anew, or take it away");
            return (given, vec![fault]);
        }
    };
    let source = sources.add(name, text.as_str());
    let at = |range: std::ops::Range<usize>| Span::new(source, range.start, range.end);
    let project: Project = match toml::from_str(&text) {
        Ok(project) => project,
        Err(error) => {
            let message = format!("`{PROJECT_FILE}`: {}", error.message().trim());
            let fault = Diagnostic::new(Code::InvalidProject, message)
                .at(at(error.span().unwrap_or(0..0)))
                .label("cannot be read")
                .help("write `[libraries]` and, below it, `shared = \"../shared-playbooks\"`");
            return (given, vec![fault]);
        }
    };
    let mut libraries = Libraries::new();
    let mut faults = Vec::new();
    for (name, directory) in project.libraries {
        if !is_library_name(name.get_ref()) {
            let message = format!("`{}` is no name for a library", name.get_ref());
            faults.push(
                Diagnostic::new(Code::InvalidName, message)
                    .at(at(name.span()))
                    .label("names are made of a–z, 0–9, _ and -, and start with a letter")
                    .help("write another name, such as `shared`"),
            );
            continue;
        }
        let path = tidy(&root.join(directory.get_ref()));
        if !given.contains_key(name.get_ref()) && files.kind(&path) != Some(FileKind::Directory) {
            let message = format!("there is no directory `{}`", directory.get_ref());
            faults.push(
                Diagnostic::new(Code::MissingFile, message)
                    .at(at(directory.span()))
                    .label("leads to no directory")
                    .help(format!("name one, or run with `--library {}=DIR`", name.get_ref())),
            );
            continue;
        }
        libraries.insert(name.into_inner(), path);
    }
    libraries.extend(given);
    (libraries, faults)
}

/// Whether a library may have that name.
#[must_use]
pub fn is_library_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, '_' | '-'))
}

/// The library and the path in it that `shared:known-users.yaml` names.
pub(super) fn in_library(written: &str) -> Option<(&str, &str)> {
    written.split_once(':').filter(|(name, path)| is_library_name(name) && !path.is_empty())
}

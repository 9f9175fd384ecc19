//! A file → a playbook, or everything that is wrong with it and with what it includes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{FileKind, Files, directory_of};
use super::model::Playbook;
use super::scope::Scope;
use crate::diagnostic::{Diagnostic, Sources, Span};
use crate::document;
use crate::step::spec::Kinds;

/// Reads a playbook and all it includes, and checks whatever can be known before it runs.
///
/// # Errors
/// Every fault there is, in the order of the files and of their lines.
pub fn load(
    path: &Path,
    files: &dyn Files,
    kinds: &dyn Kinds,
    sources: &mut Sources,
) -> Result<Playbook, Vec<Diagnostic>> {
    let text = read(path, files).map_err(|why| {
        vec![
            Diagnostic::new("unreadable-file", format!("{}: {why}", path.display()))
                .help("name a playbook file that can be read"),
        ]
    })?;
    let real = files.canonical(path).unwrap_or_else(|| path.to_path_buf());
    let root = files.root_of(&directory_of(path));
    let mut loader =
        Loader { files, kinds, sources, root, chain: vec![real], loaded: HashMap::new() };
    let (playbook, mut faults) = loader.file(path, &text);
    match playbook {
        Some(playbook) if faults.is_empty() => Ok(playbook),
        _ => {
            faults.sort_by_key(|fault| fault.span.map(|span| (span.source, span.start)));
            Err(faults)
        }
    }
}

/// The text of a file, or why there is none.
pub(super) fn read(path: &Path, files: &dyn Files) -> Result<String, String> {
    if files.kind(path) == Some(FileKind::Directory) {
        return Err("is a directory".to_owned());
    }
    files.read(path)
}

/// What is shared by a playbook and those it includes.
pub(super) struct Loader<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) kinds: &'a dyn Kinds,
    pub(super) sources: &'a mut Sources,
    pub(super) root: PathBuf,
    /// The files that are being read, each including the next.
    pub(super) chain: Vec<PathBuf>,
    /// The files that have been read; nothing for those with faults, which have been reported.
    pub(super) loaded: HashMap<PathBuf, Option<Arc<Playbook>>>,
}

impl Loader<'_> {
    /// Reads one file; its playbook is of use only where there are no faults.
    pub(super) fn file(&mut self, path: &Path, text: &str) -> (Option<Playbook>, Vec<Diagnostic>) {
        let source = self.sources.add(path.display().to_string(), text);
        let node = match document::parse(source, text) {
            Ok(node) => node,
            Err(faults) => return (None, faults),
        };
        let mut reader = Reader {
            file: path.to_path_buf(),
            directory: directory_of(path),
            included: self.chain.len() > 1,
            loader: self,
            scope: Scope::default(),
            faults: Vec::new(),
            depth: 0,
            cleanup: None,
        };
        let playbook = reader.playbook(&node);
        (playbook, reader.faults)
    }
}

/// Reads one file.
pub(super) struct Reader<'l, 'a> {
    pub(super) loader: &'l mut Loader<'a>,
    pub(super) file: PathBuf,
    pub(super) directory: PathBuf,
    /// Whether another playbook includes this one.
    pub(super) included: bool,
    pub(super) scope: Scope,
    pub(super) faults: Vec<Diagnostic>,
    /// How many lists of steps are around.
    pub(super) depth: usize,
    /// Where the `cleanup` step stands.
    pub(super) cleanup: Option<Span>,
}

impl Reader<'_, '_> {
    /// The line a span starts in.
    pub(super) fn line(&self, span: Span) -> usize {
        self.loader.sources.line_column(span).0
    }
}

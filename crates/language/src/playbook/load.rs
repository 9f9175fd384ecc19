//! A file → a playbook, or everything that is wrong with it and with what it includes.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::defaults::Defaults;
use super::files::{FileKind, Files, directory_of, near_file};
use super::include::Included;
use super::model::Playbook;
use super::project::{Libraries, libraries};
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Sources, Span, did_you_mean};
use crate::document;
use crate::spec::Kinds;

/// What came of reading a playbook.
#[derive(Debug)]
pub struct Checked {
    /// The playbook, where it can run.
    pub playbook: Option<Playbook>,
    /// Errors and warnings, in the order of the files and of their lines.
    pub found: Vec<Diagnostic>,
}

/// Reads a playbook and all it includes, and checks whatever can be known before it runs.
///
/// # Errors
/// Every error there is, in the order of the files and of their lines; warnings are kept to oneself.
pub fn load(
    path: &Path,
    files: &dyn Files,
    kinds: &dyn Kinds,
    sources: &mut Sources,
) -> Result<Playbook, Vec<Diagnostic>> {
    let mut checked = check(path, files, kinds, sources);
    checked.found.retain(Diagnostic::is_error);
    checked.playbook.ok_or(checked.found)
}

/// Reads a playbook and all it includes, and tells of errors and warnings.
#[must_use]
pub fn check(path: &Path, files: &dyn Files, kinds: &dyn Kinds, sources: &mut Sources) -> Checked {
    let files = &Remembered::new(files);
    let text = match read(path, files) {
        Ok(text) => text,
        Err(why) => {
            let missing = files.kind(path).is_none();
            let names = if missing { files.names(&directory_of(path)) } else { Vec::new() };
            let near = near_file(&names, path, |word, names| did_you_mean(word, names));
            let fault = Diagnostic::new(Code::UnreadableFile, format!("{}: {why}", path.display()))
                .help(match near {
                    Some(near) => format!("did you mean `{}`?", near.display()),
                    None => "name a playbook file that can be read".to_owned(),
                });
            return Checked { playbook: None, found: vec![fault] };
        }
    };
    let real = files.canonical(path).unwrap_or_else(|| path.to_path_buf());
    let root = files.root_of(&directory_of(path));
    let (libraries, faults) = libraries(&root, files.libraries(), files, sources);
    let mut loader =
        Loader { files, kinds, sources, libraries, chain: vec![real], loaded: HashMap::new() };
    let (read, mut found) = loader.file(path, &text, &root);
    found.extend(faults);
    found.sort_by_key(|fault| fault.span.map(|span| (span.source, span.start)));
    let playbook = read.map(|read| read.playbook);
    Checked { playbook: playbook.filter(|_| !found.iter().any(Diagnostic::is_error)), found }
}

/// The text of a file, or why there is none.
pub(super) fn read(path: &Path, files: &dyn Files) -> Result<String, String> {
    if files.kind(path) == Some(FileKind::Directory) {
        return Err("is a directory".to_owned());
    }
    files.read(path)
}

/// The disk, asked once for each path: thousands of steps name the same few files.
struct Remembered<'a> {
    files: &'a dyn Files,
    canonical: RefCell<HashMap<PathBuf, Option<PathBuf>>>,
    names: RefCell<HashMap<PathBuf, Vec<String>>>,
}

impl<'a> Remembered<'a> {
    fn new(files: &'a dyn Files) -> Self {
        Self { files, canonical: RefCell::default(), names: RefCell::default() }
    }
}

impl Files for Remembered<'_> {
    fn read(&self, path: &Path) -> Result<String, String> {
        self.files.read(path)
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        self.files.kind(path)
    }

    fn root_of(&self, directory: &Path) -> PathBuf {
        self.files.root_of(directory)
    }

    fn libraries(&self) -> Libraries {
        self.files.libraries()
    }

    fn names(&self, directory: &Path) -> Vec<String> {
        if let Some(known) = self.names.borrow().get(directory) {
            return known.clone();
        }
        let found = self.files.names(directory);
        self.names.borrow_mut().insert(directory.to_path_buf(), found.clone());
        found
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        if let Some(known) = self.canonical.borrow().get(path) {
            return known.clone();
        }
        let found = self.files.canonical(path);
        self.canonical.borrow_mut().insert(path.to_path_buf(), found.clone());
        found
    }
}

/// What is shared by a playbook and those it includes.
pub(super) struct Loader<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) kinds: &'a dyn Kinds,
    pub(super) sources: &'a mut Sources,
    /// Where shared playbooks are.
    pub(super) libraries: Libraries,
    /// The files that are being read, each including the next.
    pub(super) chain: Vec<PathBuf>,
    /// The files that have been read, by the root they were read under; nothing for those with errors, which have been
    /// reported.
    pub(super) loaded: HashMap<(PathBuf, PathBuf), Option<Included>>,
}

impl Loader<'_> {
    /// Reads one file; its playbook is of use only where there are no errors.
    pub(super) fn file(
        &mut self,
        path: &Path,
        text: &str,
        root: &Path,
    ) -> (Option<super::top::Read>, Vec<Diagnostic>) {
        let source = self.sources.add(path.display().to_string(), text);
        let (node, broken) = document::parse_around(source, text);
        let Some(node) = node else { return (None, broken) };
        let mut reader = Reader {
            file: path.to_path_buf(),
            directory: directory_of(path),
            root: root.to_path_buf(),
            included: self.chain.len() > 1,
            loader: self,
            scope: Scope::default(),
            defaults: Defaults::default(),
            faults: Vec::new(),
            unread: false,
            depth: 0,
            cleanup: None,
            undone: HashSet::new(),
        };
        let read = reader.playbook(&node);
        let mut faults = reader.faults;
        if broken.is_empty() {
            return (read, faults);
        }
        faults.retain(is_certain);
        faults.extend(broken);
        (None, faults)
    }
}

/// Whether a fault is one whatever the steps say that could not be read.
fn is_certain(fault: &Diagnostic) -> bool {
    use Code::{LaterReference, OtherBranch, UnknownName, UnknownReference};
    let depends = [LaterReference, OtherBranch, UnknownName, UnknownReference];
    fault.is_error() && !depends.contains(&fault.code)
}

/// Reads one file.
pub(super) struct Reader<'l, 'a> {
    pub(super) loader: &'l mut Loader<'a>,
    pub(super) file: PathBuf,
    pub(super) directory: PathBuf,
    /// What the paths in it must lie under.
    pub(super) root: PathBuf,
    /// Whether another playbook includes this one.
    pub(super) included: bool,
    pub(super) scope: Scope,
    /// What steps do where they do not say otherwise.
    pub(super) defaults: Defaults,
    pub(super) faults: Vec<Diagnostic>,
    /// Whether there is something of which nobody knows what it refers to.
    pub(super) unread: bool,
    /// How many lists of steps are around.
    pub(super) depth: usize,
    /// Where the `cleanup` step stands.
    pub(super) cleanup: Option<Span>,
    /// The operations that take back what the steps so far make.
    pub(super) undone: HashSet<String>,
}

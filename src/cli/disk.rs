//! The disk, as readers of playbooks see it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use engine::regular_file;
use language::playbook::{FileKind, Files, PROJECT_FILE};

/// No playbook, and no file of inputs, is longer.
pub(super) const LONGEST: u64 = 4 * 1024 * 1024;

/// No guess looks at more names of a directory.
const MOST_NAMES: usize = 1000;

/// The machine's own file system.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    /// The libraries that the command line names.
    libraries: BTreeMap<String, PathBuf>,
}

impl Disk {
    /// The file system, with the libraries of `--library`.
    pub(super) fn with(libraries: &[(String, PathBuf)]) -> Self {
        Self { libraries: libraries.iter().cloned().collect() }
    }
}

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<String, String> {
        let bytes = regular_file::read(path, LONGEST).map_err(|error| reason(&error))?;
        String::from_utf8(bytes).map_err(|error| {
            let sound = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..sound).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count();
            format!("is not UTF-8 text: see line {line}")
        })
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        let metadata = fs::metadata(path).ok()?;
        Some(if metadata.is_dir() { FileKind::Directory } else { FileKind::File })
    }

    fn root_of(&self, directory: &Path) -> PathBuf {
        let absolute = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let marks =
            |ancestor: &Path| [PROJECT_FILE, ".git"].map(|mark| ancestor.join(mark).exists());
        let project = absolute.ancestors().find(|ancestor| marks(ancestor).contains(&true));
        project.map_or(absolute.clone(), Path::to_owned)
    }

    fn libraries(&self) -> BTreeMap<String, PathBuf> {
        self.libraries.clone()
    }

    fn names(&self, directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.take(MOST_NAMES).collect();
        names.sort();
        names
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        path.canonicalize().ok()
    }
}

/// The system's words, less the number that it puts behind them.
pub(super) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read".to_owned(),
        _ => error.to_string(),
    }
}

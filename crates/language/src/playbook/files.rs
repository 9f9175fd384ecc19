//! The one way by which a playbook being loaded reaches the disk.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Something that can be read.
    File,
    /// Something that holds files.
    Directory,
}

/// What a reader of playbooks needs of the disk.
pub trait Files {
    /// The text of a file.
    ///
    /// # Errors
    /// Why it cannot be read, as a sentence without the path.
    fn read(&self, path: &Path) -> Result<String, String>;
    /// What the path leads to, if anything.
    fn kind(&self, path: &Path) -> Option<FileKind>;
    /// The nearest directory upwards, beginning with this one, that holds `playbook.toml` or `.git`; this one where there
    /// is none.
    fn root_of(&self, directory: &Path) -> PathBuf;
    /// The path without `.`, `..` and symbolic links, if it leads to anything.
    fn canonical(&self, path: &Path) -> Option<PathBuf>;
    /// The libraries that are named for this run alone, by name.
    fn libraries(&self) -> BTreeMap<String, PathBuf> {
        BTreeMap::new()
    }
    /// What there is in a directory, for guesses; nothing where nobody knows.
    fn names(&self, directory: &Path) -> Vec<String> {
        let _ = directory;
        Vec::new()
    }
}

/// Why a path named in a playbook may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathFault {
    Missing,
    Outside,
}

/// Finds what a playbook in `directory` means by `written`, as long as it lies under `root`.
///
/// Whatever lies outside is refused before the disk is asked whether it exists.
pub(super) fn locate(
    files: &dyn Files,
    directory: &Path,
    root: &Path,
    written: &str,
) -> Result<PathBuf, PathFault> {
    let path = tidy(&directory.join(written));
    let canonical_root = files.canonical(root).unwrap_or_else(|| tidy(root));
    let canonical_directory = files.canonical(directory).unwrap_or_else(|| tidy(directory));
    if !tidy(&canonical_directory.join(written)).starts_with(&canonical_root) {
        return Err(PathFault::Outside);
    }
    let real = files.canonical(&directory.join(written)).ok_or(PathFault::Missing)?;
    if !real.starts_with(&canonical_root) {
        return Err(PathFault::Outside);
    }
    files.kind(&real).ok_or(PathFault::Missing)?;
    Ok(path)
}

/// The nearest directory that holds both the project and what lies outside of it, unless that is nearly everything.
pub(super) fn common(
    files: &dyn Files,
    directory: &Path,
    root: &Path,
    written: &str,
) -> Option<PathBuf> {
    let root = files.canonical(root)?;
    let target = tidy(&files.canonical(directory)?.join(written));
    let both = root.components().zip(target.components()).take_while(|(one, other)| one == other);
    let common: PathBuf = both.map(|(component, _)| component).collect();
    (common.components().count() > 2 && common != target).then_some(common)
}

/// Takes `.` and `..` out of a path by its words alone.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match tidied.components().next_back() {
                Some(Component::Normal(_)) => {
                    tidied.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => tidied.push(".."),
            },
            other => tidied.push(other),
        }
    }
    // A path without any component leads nowhere.
    if tidied.as_os_str().is_empty() { PathBuf::from(".") } else { tidied }
}

/// The directory that a file stands in; `.` for a bare name.
pub(super) fn directory_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The path that was probably meant: as seen from the project's root, or without its directory.
pub(super) fn near_path(
    files: &dyn Files,
    directory: &Path,
    root: &Path,
    written: &str,
) -> Option<String> {
    let there = |near: &String| near != written && locate(files, directory, root, near).is_ok();
    let below = || {
        let directory = files.canonical(directory)?;
        let root = files.canonical(root)?;
        let below = directory.strip_prefix(root).ok()?.components().count();
        Some(format!("{}{written}", "../".repeat(below)))
    };
    let bare = || Some(Path::new(written).file_name()?.to_str()?.to_owned());
    below().filter(there).or_else(|| bare().filter(there))
}

/// What playbooks are called.
const PLAYBOOKS: [&str; 2] = [".yaml", ".yml"];

/// The file beside a missing one that was probably meant. `guess` compares names.
pub(super) fn near_file<'n>(
    names: &'n [String],
    missing: &Path,
    guess: impl Fn(&str, &mut dyn Iterator<Item = &'n str>) -> Option<&'n str>,
) -> Option<PathBuf> {
    let name = missing.file_name()?.to_str()?;
    let has = |expected: &str| names.iter().any(|name| name == expected);
    let stem = |name: &'n str| PLAYBOOKS.iter().find_map(|ending| name.strip_suffix(ending));
    let bare = PLAYBOOKS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let ended = |stem: &str| PLAYBOOKS.map(|ending| format!("{stem}{ending}"));
    let all = || names.iter().map(String::as_str).filter(|it| *it != name);
    let found = ended(bare)
        .into_iter()
        .find(|ended| has(ended) && ended != name)
        .or_else(|| guess(name, &mut all()).map(str::to_owned))
        .or_else(|| {
            let near = guess(bare, &mut all().filter_map(stem))?;
            ended(near).into_iter().find(|ended| has(ended))
        })?;
    Some(missing.with_file_name(found))
}

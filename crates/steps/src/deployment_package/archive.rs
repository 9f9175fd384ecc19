//! Files into a zip: sorted, with fixed times, modes and compression, so that the same files give the same bytes.

use std::fs::{self, File, Metadata};
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::fault::PackageFault;
use super::{LARGEST_UNZIPPED, LARGEST_ZIPPED};

/// A limit of ours: files of no bytes cost time, too.
const MOST_FILES: usize = 100_000;
/// For packages that travel.
const THOROUGH: i64 = 6;
/// For packages that stay on this machine: a third larger, in a fraction of the time.
const QUICK: i64 = 1;

/// One file of a package.
struct Item {
    name: String,
    executable: bool,
    bytes: Vec<u8>,
}

/// Zips one file, which then stands at the root of the package.
pub(super) fn zip_file(path: &str, real: &Path) -> Result<Vec<u8>, PackageFault> {
    let name = Path::new(path)
        .file_name()
        .or_else(|| real.file_name())
        .and_then(|name| name.to_str())
        .ok_or_else(|| PackageFault::NotUtf8 { path: path.to_owned() })?;
    let (bytes, executable) = read(path, real, LARGEST_UNZIPPED)?;
    zip(path, vec![Item { name: name.to_owned(), executable, bytes }], THOROUGH)
}

/// Zips a built program as the `bootstrap` that Lambda starts; quickly, where it is not to travel.
pub(super) fn zip_bootstrap(program: &Path, travels: bool) -> Result<Vec<u8>, PackageFault> {
    let path = program.display().to_string();
    let (bytes, _) = read(&path, program, LARGEST_UNZIPPED)?;
    let item = Item { name: "bootstrap".to_owned(), executable: true, bytes };
    zip(&path, vec![item], if travels { THOROUGH } else { QUICK })
}

/// Zips what is in a directory; links in it may not lead out of `root`.
pub(super) fn zip_directory(path: &str, real: &Path, root: &Path) -> Result<Vec<u8>, PackageFault> {
    let mut walk =
        Walk { root, start: path, items: Vec::new(), budget: LARGEST_UNZIPPED, trail: Vec::new() };
    walk.directory(real.to_owned(), "")?;
    if walk.items.is_empty() {
        return Err(PackageFault::Empty { path: path.to_owned() });
    }
    zip(path, walk.items, THOROUGH)
}

/// A zip that is ready: as it is, once it is seen to be one.
pub(super) fn ready(path: &str, real: &Path) -> Result<Vec<u8>, PackageFault> {
    // Stored without compression it may well be larger than what fits into a request.
    let (bytes, _) = read(path, real, LARGEST_UNZIPPED)?;
    let not_a_zip = |error: zip::result::ZipError| PackageFault::NotAZip {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes.as_slice())).map_err(not_a_zip)?;
    let mut unzipped: u64 = 0;
    for index in 0..archive.len() {
        unzipped = unzipped.saturating_add(archive.by_index_raw(index).map_err(not_a_zip)?.size());
    }
    if archive.is_empty() {
        return Err(PackageFault::Empty { path: path.to_owned() });
    }
    if unzipped > LARGEST_UNZIPPED {
        return Err(PackageFault::TooLargeUnzipped { path: path.to_owned() });
    }
    drop(archive);
    fits(path, bytes)
}

fn fits(path: &str, bytes: Vec<u8>) -> Result<Vec<u8>, PackageFault> {
    if bytes.len() > LARGEST_ZIPPED {
        return Err(PackageFault::TooLargeZipped { path: path.to_owned(), bytes: bytes.len() });
    }
    Ok(bytes)
}

fn zip(path: &str, mut items: Vec<Item>, level: i64) -> Result<Vec<u8>, PackageFault> {
    items.sort_by(|one, other| one.name.cmp(&other.name));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let written = items.iter().try_for_each(|item| {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(level))
            .last_modified_time(DateTime::default())
            .system(System::Unix)
            .unix_permissions(if item.executable { 0o755 } else { 0o644 });
        writer.start_file(item.name.as_str(), options)?;
        Ok(writer.write_all(&item.bytes)?)
    });
    let finished = written.and_then(|()| writer.finish());
    let unzippable = |error: zip::result::ZipError| PackageFault::Unzippable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    fits(path, finished.map_err(unzippable)?.into_inner())
}

/// A file's bytes, and whether it may be executed.
fn read(path: &str, real: &Path, budget: u64) -> Result<(Vec<u8>, bool), PackageFault> {
    let unreadable = |error: io::Error| PackageFault::unreadable(path, &error);
    let metadata = fs::metadata(real).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(PackageFault::NeitherFileNorDirectory { path: path.to_owned() });
    }
    if metadata.len() > budget {
        return Err(PackageFault::TooLargeUnzipped { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    let file = File::open(real).map_err(unreadable)?;
    // It may grow while it is read.
    file.take(budget.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > budget {
        return Err(PackageFault::TooLargeUnzipped { path: path.to_owned() });
    }
    Ok((bytes, is_executable(&metadata)))
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &Metadata) -> bool {
    false
}

/// A walk through a directory.
struct Walk<'a> {
    root: &'a Path,
    start: &'a str,
    items: Vec<Item>,
    budget: u64,
    /// The directories that it is in, so that a link cannot send it in circles.
    trail: Vec<PathBuf>,
}

impl Walk<'_> {
    fn directory(&mut self, real: PathBuf, prefix: &str) -> Result<(), PackageFault> {
        let shown = self.shown(prefix);
        let unreadable = |error: io::Error| PackageFault::unreadable(&shown, &error);
        if self.trail.contains(&real) {
            return Err(PackageFault::Loop { path: shown });
        }
        let entries = fs::read_dir(&real).map_err(unreadable)?;
        self.trail.push(real);
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().into_string().map_err(|name| PackageFault::NotUtf8 {
                path: self.shown(&format!("{prefix}{}", name.display())),
            })?;
            if is_litter(&name) {
                continue;
            }
            self.entry(&entry.path(), format!("{prefix}{name}"))?;
        }
        self.trail.pop();
        Ok(())
    }

    fn entry(&mut self, path: &Path, name: String) -> Result<(), PackageFault> {
        let shown = self.shown(&name);
        let unreadable = |error: io::Error| PackageFault::unreadable(&shown, &error);
        let mut real = path.to_owned();
        if fs::symlink_metadata(path).map_err(unreadable)?.is_symlink() {
            real = path.canonicalize().map_err(unreadable)?;
            if !real.starts_with(self.root) {
                return Err(PackageFault::Outside { path: shown });
            }
        }
        if real.is_dir() {
            return self.directory(real, &format!("{name}/"));
        }
        if self.items.len() >= MOST_FILES {
            return Err(PackageFault::TooMany { path: self.start.to_owned(), most: MOST_FILES });
        }
        let (bytes, executable) =
            read(&shown, &real, self.budget).map_err(|fault| match fault {
                PackageFault::TooLargeUnzipped { .. } => {
                    PackageFault::TooLargeUnzipped { path: self.start.to_owned() }
                }
                other => other,
            })?;
        self.budget -= bytes.len() as u64;
        self.items.push(Item { name, executable, bytes });
        Ok(())
    }

    fn shown(&self, name: &str) -> String {
        format!("{}/{name}", self.start.trim_end_matches('/')).trim_end_matches('/').to_owned()
    }
}

/// What never belongs into a package.
fn is_litter(name: &str) -> bool {
    matches!(name, "__pycache__" | ".git" | ".DS_Store")
        || Path::new(name).extension().is_some_and(|extension| extension == "pyc")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn files_are_too_large_together_as_well_as_alone() {
        let directory = TempDir::new().expect("a directory");
        for name in ["a", "b", "c"] {
            fs::write(directory.path().join(name), "12345").expect("a file");
        }
        let root = directory.path().canonicalize().expect("a path");
        let walk = |budget| {
            let mut walk =
                Walk { root: &root, start: "code", items: Vec::new(), budget, trail: Vec::new() };
            walk.directory(root.clone(), "").map(|()| walk.items.len())
        };
        assert_eq!(walk(15), Ok(3));
        assert_eq!(walk(14), Err(PackageFault::TooLargeUnzipped { path: "code".to_owned() }));
    }

    #[test]
    fn a_package_must_fit_into_a_request() {
        assert_eq!(
            fits("code", vec![0; LARGEST_ZIPPED]).map(|bytes| bytes.len()),
            Ok(LARGEST_ZIPPED)
        );
        let fault =
            PackageFault::TooLargeZipped { path: "code".to_owned(), bytes: LARGEST_ZIPPED + 1 };
        assert_eq!(
            fault.to_string(),
            "the package of `code` has 52,428,801 bytes; Lambda takes 52,428,800 in one request"
        );
        assert_eq!(fits("code", vec![0; LARGEST_ZIPPED + 1]), Err(fault));
    }
}

//! Deployment packages: what may be uploaded, and how it is unpacked.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;

/// What Lambda accepts unpacked.
const LARGEST_UNZIPPED: u64 = 262_144_000;
/// A limit of ours: directories and files of no bytes cost space, too.
const MOST_ENTRIES: usize = 100_000;
const LONGEST_LINK: u64 = 4096;

/// Why a deployment package was refused.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It is no zip file, or a broken one.
    #[error("Could not unzip uploaded file. Please check your file, then try to upload again.")]
    NotAZip,
    /// There is nothing in it.
    #[error("Uploaded file must be a non-empty zip")]
    Empty,
    /// There is too much in it.
    #[error("Unzipped size must be smaller than {LARGEST_UNZIPPED} bytes")]
    TooLarge,
    /// A name or a link in it leads out of it.
    #[error(
        "Could not unzip uploaded file: the entry '{0}' leads out of it. Make the package anew, with relative names."
    )]
    Escapes(String),
    /// The machine could not write it.
    #[error("could not unpack the deployment package: {0}")]
    Io(#[from] io::Error),
}

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Checks a package as far as that goes without writing it.
pub fn inspect(bytes: &[u8]) -> Result<(), PackageError> {
    let mut archive = open(bytes)?;
    let mut total: u64 = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|_| PackageError::NotAZip)?;
        if entry.enclosed_name().is_none() {
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            return Err(PackageError::Escapes(name));
        }
        total = total.saturating_add(entry.size());
        if total > LARGEST_UNZIPPED {
            return Err(PackageError::TooLarge);
        }
    }
    Ok(())
}

/// Unpacks a package into a directory that exists and is empty.
pub fn unpack(bytes: &[u8], root: &Path) -> Result<(), PackageError> {
    let mut archive = open(bytes)?;
    let mut budget = LARGEST_UNZIPPED;
    let mut links = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|_| PackageError::NotAZip)?;
        let Some(name) = entry.enclosed_name() else {
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            return Err(PackageError::Escapes(name));
        };
        let target = root.join(&name);
        if entry.is_dir() {
            create_directory(&target)?;
        } else if entry.is_symlink() {
            links.push((name, read_link(&mut entry)?));
        } else {
            // Whoever can unpack a file may read it; the owner may write, so that it can be removed.
            let mode = entry.unix_mode().unwrap_or(0o644) & 0o777 | 0o600;
            budget = write_file(&mut entry, &target, mode, budget)?;
        }
    }
    // Links last: nothing is ever written through one.
    links.iter().try_for_each(|(name, link)| create_link(root, name, link))
}

/// Takes everybody the right to write into a directory and all below it, links left alone.
pub(super) fn protect(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            protect(&entry?.path())?;
        }
    }
    fs::set_permissions(path, Permissions::from_mode(metadata.permissions().mode() & !0o222))
}

/// Removes a directory with all below it, protected or not.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    unprotect(path)?;
    fs::remove_dir_all(path)
}

/// What lies in a directory that its owner may not write into cannot be removed.
fn unprotect(directory: &Path) -> io::Result<()> {
    let mode = fs::symlink_metadata(directory)?.permissions().mode();
    if mode & 0o700 != 0o700 {
        fs::set_permissions(directory, Permissions::from_mode(mode | 0o700))?;
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            unprotect(&entry.path())?;
        }
    }
    Ok(())
}

fn open(bytes: &[u8]) -> Result<Archive<'_>, PackageError> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| PackageError::NotAZip)?;
    match archive.len() {
        0 => Err(PackageError::Empty),
        1..=MOST_ENTRIES => Ok(archive),
        _ => Err(PackageError::TooLarge),
    }
}

fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn write_file(
    entry: &mut impl Read,
    target: &Path,
    mode: u32,
    budget: u64,
) -> Result<u64, PackageError> {
    if let Some(parent) = target.parent() {
        create_directory(parent)?;
    }
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(target)?;
    // The sizes in a zip's directory may lie.
    let written = match io::copy(&mut entry.take(budget + 1), &mut file) {
        Ok(written) => written,
        Err(error) if is_corruption(&error) => return Err(PackageError::NotAZip),
        Err(error) => return Err(error.into()),
    };
    budget.checked_sub(written).ok_or(PackageError::TooLarge)
}

fn is_corruption(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
    )
}

fn read_link(entry: &mut impl Read) -> Result<String, PackageError> {
    let mut link = String::new();
    entry.take(LONGEST_LINK).read_to_string(&mut link).map_err(|_| PackageError::NotAZip)?;
    Ok(link)
}

fn create_link(root: &Path, name: &Path, link: &str) -> Result<(), PackageError> {
    let escapes = || PackageError::Escapes(name.display().to_string());
    let root = fs::canonicalize(root)?;
    let parent = root.join(name.parent().unwrap_or(Path::new("")));
    create_directory(&parent)?;
    // Links made before may stand in the way: where the parent really is decides.
    let parent = fs::canonicalize(&parent)?;
    let inside = parent.strip_prefix(&root).map_err(|_| escapes())?;
    if !stays_inside(inside, Path::new(link)) {
        return Err(escapes());
    }
    let path = parent.join(name.file_name().ok_or_else(escapes)?);
    symlink(link, &path)?;
    match fs::canonicalize(&path) {
        Ok(end) if end.starts_with(&root) => Ok(()),
        Ok(_) => {
            fs::remove_file(&path)?;
            Err(escapes())
        }
        // It dangles, inside.
        Err(_) => Ok(()),
    }
}

fn stays_inside(directory: &Path, link: &Path) -> bool {
    let mut depth: Vec<PathBuf> = Vec::new();
    for component in directory.join(link).components() {
        match component {
            Component::Normal(part) => depth.push(part.into()),
            Component::CurDir => {}
            Component::ParentDir => {
                if depth.pop().is_none() {
                    return false;
                }
            }
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("package-{:016x}", fastrand::u64(..)));
            fs::create_dir(&path).expect("a fresh directory");
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn zip_of(fill: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        fill(&mut writer);
        writer.finish().expect("a zip").into_inner()
    }

    fn add(writer: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, mode: u32, text: &str) {
        let options = SimpleFileOptions::default().unix_permissions(mode);
        writer.start_file(name, options).expect("an entry");
        writer.write_all(text.as_bytes()).expect("its content");
    }

    fn link(writer: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, target: &str) {
        writer.add_symlink(name, target, SimpleFileOptions::default()).expect("a link");
    }

    #[test]
    fn files_arrive_with_their_modes() {
        let scratch = Scratch::new();
        let zip = zip_of(|writer| {
            add(writer, "bootstrap", 0o755, "#!/bin/sh\n");
            add(writer, "pkg/deep/mod.py", 0o644, "x = 1\n");
            link(writer, "pkg/bin", "../bootstrap");
        });
        inspect(&zip).expect("fine");
        unpack(&zip, &scratch.0).expect("fine");
        let text = fs::read_to_string(scratch.0.join("pkg/deep/mod.py")).expect("a file");
        assert_eq!(text, "x = 1\n");
        let mode = fs::metadata(scratch.0.join("bootstrap")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o111, 0o111);
        assert_eq!(fs::read_to_string(scratch.0.join("pkg/bin")).expect("a link"), "#!/bin/sh\n");
    }

    #[test]
    fn what_is_no_zip_is_refused() {
        assert!(matches!(inspect(b"PK, not really"), Err(PackageError::NotAZip)));
        assert!(matches!(inspect(b""), Err(PackageError::NotAZip)));
        assert!(matches!(inspect(&zip_of(|_| {})), Err(PackageError::Empty)));
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in ["../evil", "a/../../evil", "a/b/../../../evil"] {
            let zip = zip_of(|writer| add(writer, name, 0o644, "evil"));
            let scratch = Scratch::new();
            assert!(matches!(inspect(&zip), Err(PackageError::Escapes(_))), "{name}");
            assert!(matches!(unpack(&zip, &scratch.0), Err(PackageError::Escapes(_))), "{name}");
        }
    }

    #[test]
    fn absolute_names_stay_inside() {
        let zip = zip_of(|writer| add(writer, "/etc/evil", 0o644, "evil"));
        let scratch = Scratch::new();
        unpack(&zip, &scratch.0).expect("unpacked");
        assert!(scratch.0.join("etc/evil").is_file());
    }

    #[test]
    fn links_that_lead_out_are_refused() {
        let chains: [&[(&str, &str)]; 4] = [
            &[("out", "../..")],
            &[("out", "/etc")],
            &[("p/q/up", "../.."), ("p/q/out", "up/..")],
            &[("p/up", "."), ("p/up/out", "../../x")],
        ];
        for chain in chains {
            let zip = zip_of(|writer| chain.iter().for_each(|(name, to)| link(writer, name, to)));
            let scratch = Scratch::new();
            let result = unpack(&zip, &scratch.0);
            assert!(matches!(result, Err(PackageError::Escapes(_))), "{chain:?}: {result:?}");
        }
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let zip = zip_of(|writer| {
            link(writer, "d", "elsewhere");
            add(writer, "d/file", 0o644, "text");
        });
        let scratch = Scratch::new();
        assert!(unpack(&zip, &scratch.0).is_err());
        assert!(!scratch.0.join("elsewhere").exists());
    }

    #[test]
    fn a_package_that_lies_about_its_size_is_cut_off() {
        let mut writer = Cursor::new(vec![7_u8; 100]);
        let scratch = Scratch::new();
        let result = write_file(&mut writer, &scratch.0.join("file"), 0o644, 50);
        assert!(matches!(result, Err(PackageError::TooLarge)));
    }
}

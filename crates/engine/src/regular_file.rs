//! Files that are named in playbooks and on the command line: read whole, if they are files and not too long.
//!
//! What a name stands for may as well be a pipe that nobody writes to, or a device that never ends. A reader of either
//! would hang, and heed no Ctrl-C.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Reads a file of at most that many bytes. Anything else that bears the name is refused, unread.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let metadata = file.metadata()?;
    // Directories have words of their own when they are read.
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "is no regular file"));
    }
    if metadata.len() > most && metadata.is_file() {
        return Err(too_long(most));
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_long(most)) } else { Ok(bytes) }
}

/// The same, for text.
pub fn read_to_string(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // To open a pipe otherwise waits for somebody who writes.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    }
    options.open(path)
}

fn too_long(most: u64) -> io::Error {
    let size = match most {
        most if most >= 1 << 20 => format!("{} MiB", most >> 20),
        most => format!("{most} bytes"),
    };
    io::Error::new(ErrorKind::FileTooLarge, format!("is longer than {size}"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn refused(path: &Path, most: u64) -> String {
        read(path, most).expect_err("refused").to_string()
    }

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        std::fs::write(&path, "1234").expect("written");
        assert_eq!(read(&path, 4).expect("read"), b"1234");
        assert_eq!(refused(&path, 3), "is longer than 3 bytes");
        assert_eq!(refused(Path::new("/dev/zero"), 1 << 20), "is no regular file");
        assert!(read(directory.path(), 4).is_err());
        assert_eq!(
            read(&directory.path().join("none"), 4).expect_err("none").kind(),
            ErrorKind::NotFound
        );
        std::fs::write(&path, [0xff]).expect("written");
        assert_eq!(read_to_string(&path, 4).expect_err("no text").kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_refused_at_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
        assert_eq!(refused(&path, 4), "is no regular file");
    }
}

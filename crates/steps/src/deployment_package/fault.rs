//! Why there is no package.

use std::io;

use engine::step::StepError;

use super::{LARGEST_UNZIPPED, LARGEST_ZIPPED};
use engine::aws::captured::thousands;

/// Why there is no package. Paths are as the playbook writes them.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum PackageFault {
    #[error("`code` names no file")]
    NoPath,
    #[error("there is no file or directory `{path}`")]
    Missing { path: String },
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("`{path}` leads out of the playbook's directory")]
    Outside { path: String },
    #[error("the link `{path}` leads back to a directory that it lies in")]
    Loop { path: String },
    #[error("`{path}` is neither a file nor a directory")]
    NeitherFileNorDirectory { path: String },
    #[error("the name of `{path}` is not UTF-8")]
    NotUtf8 { path: String },
    #[error("there is nothing to package in `{path}`")]
    Empty { path: String },
    #[error("`{path}` is not a zip file: {reason}")]
    NotAZip { path: String, reason: String },
    #[error("`{path}` has more than {most} files")]
    TooMany { path: String, most: usize },
    #[error(
        "`{path}` is larger than the {} bytes that Lambda takes unzipped",
        thousands(LARGEST_UNZIPPED)
    )]
    TooLargeUnzipped { path: String },
    #[error(
        "the package of `{path}` has {} bytes; Lambda takes {} in one request",
        thousands(*bytes as u64),
        thousands(LARGEST_ZIPPED as u64)
    )]
    TooLargeZipped { path: String, bytes: usize },
    #[error("`{path}` could not be zipped: {reason}")]
    Unzippable { path: String, reason: String },
    #[error("there is no Cargo.toml in `{path}`")]
    NoManifest { path: String },
    #[error("the package was not finished")]
    Abandoned,
}

impl PackageFault {
    pub(super) fn unreadable(path: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing { path: path.to_owned() },
            _ => Self::Unreadable { path: path.to_owned(), reason: error.to_string() },
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Self::NoPath | Self::Missing { .. } => {
                "name a file, a directory or a .zip; paths are relative to the playbook"
            }
            Self::Outside { .. } => {
                "copy it beside the playbook; a playbook packages nothing from elsewhere on this machine"
            }
            Self::Loop { .. } => "remove the link, or name a directory without it",
            Self::Unreadable { .. } | Self::Unzippable { .. } | Self::Abandoned => {
                "make sure that the file can be read and does not change meanwhile"
            }
            Self::NeitherFileNorDirectory { .. } | Self::NotUtf8 { .. } => {
                "remove it from the directory, or name a directory without it"
            }
            Self::Empty { .. } => "name the file or directory that holds the handler",
            Self::NotAZip { .. } => {
                "make it anew with `zip`, or name the directory that it was made from"
            }
            Self::TooMany { .. } | Self::TooLargeUnzipped { .. } | Self::TooLargeZipped { .. } => {
                "package only what the handler needs, and put the rest into a layer"
            }
            Self::NoManifest { .. } => {
                "`cargo` is the directory of a Cargo.toml, relative to the playbook"
            }
        }
    }
}

impl From<PackageFault> for StepError {
    fn from(fault: PackageFault) -> Self {
        Self::input("code", fault.to_string(), fault.help())
    }
}

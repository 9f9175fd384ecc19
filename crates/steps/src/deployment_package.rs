//! Deployment packages: made in memory, the same bytes for the same files.

mod archive;
mod cargo;
mod fault;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::Architecture;
use schemars::JsonSchema;
use serde::Deserialize;

use engine::event::CodeForm;
use engine::step::context::Progress;
use engine::step::{Context, StepError};

use fault::PackageFault;

/// What Lambda takes in one request; larger packages go by way of S3.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const LARGEST_ZIPPED: usize = 50 * 1024 * 1024;
/// What Lambda takes unzipped.
const LARGEST_UNZIPPED: u64 = 250 * 1024 * 1024;

/// The code of a function: a file, a directory or a ready `.zip`, relative to the playbook; or
/// `{cargo: DIR, bin: NAME}`, a Rust program to build first.
///
/// A file stands at the root of the package, and so does what is in a directory, without `__pycache__`, `*.pyc`,
/// `.git` and `.DS_Store`. The same files give the same package and so the same `CodeSha256`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "code must be the path of a file, a directory or a .zip, or `{cargo: DIR, bin: NAME}`"
)]
pub enum Code {
    /// The path of a file, a directory or a ready `.zip`.
    Path(#[schemars(extend("x-file" = true))] String),
    /// A Rust program, built as the package's `bootstrap`.
    Cargo(CargoBinary),
}

/// A Rust program, built as the package's `bootstrap`: for AWS by cargo-lambda, or by cargo-zigbuild where that alone is
/// installed; with `--local` by cargo, for this machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CargoBinary {
    /// The directory of its `Cargo.toml`, relative to the playbook.
    #[schemars(extend("x-file" = true))]
    cargo: String,
    /// The name of the binary in it.
    bin: String,
}

/// A zip that Lambda takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    bytes: Vec<u8>,
}

impl Package {
    /// The zip, as the SDK takes it.
    #[must_use]
    pub fn blob(&self) -> Blob {
        Blob::new(self.bytes.clone())
    }
}

/// The architecture of functions that name none: Lambda's default, or this machine's where functions run on it.
#[must_use]
pub fn default_architecture(local: bool) -> Architecture {
    if local && cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X8664 }
}

impl Code {
    /// Whether what is in the package depends on the function's architecture.
    #[must_use]
    pub fn is_built(&self) -> bool {
        matches!(self, Self::Cargo(_))
    }

    /// Makes the package. Reads and builds only what lies under the playbook's root. A dry run builds nothing.
    ///
    /// # Errors
    /// A fault of the field `code`, or the output of a build that failed.
    pub async fn package(
        &self,
        cx: &Context,
        architecture: &Architecture,
    ) -> Result<Package, StepError> {
        match self {
            Self::Path(path) => {
                let (path, within) = (path.clone(), Bounds::of(cx)?);
                let real = within.find(&path)?;
                let form = form_of(&path, &real);
                packed(cx, &path, real, form);
                let zipped = tokio::task::spawn_blocking(move || zip_path(&path, &within)).await;
                Ok(Package { bytes: zipped.unwrap_or(Err(PackageFault::Abandoned))? })
            }
            Self::Cargo(binary) => {
                let directory = Bounds::of(cx)?.find(&binary.cargo)?;
                if !directory.join("Cargo.toml").is_file() {
                    return Err(PackageFault::NoManifest { path: binary.cargo.clone() }.into());
                }
                let form = CodeForm::Program(binary.bin.clone());
                packed(cx, &binary.cargo, directory.clone(), form);
                let built = built(cx, &directory, &binary.bin, architecture);
                cx.perform(built, || Package { bytes: binary.stand_in().into_bytes() }).await
            }
        }
    }
}

/// A program, built and packed.
async fn built(
    cx: &Context,
    directory: &Path,
    bin: &str,
    architecture: &Architecture,
) -> Result<Package, StepError> {
    let program = cargo::build(cx, directory, bin, architecture).await?;
    let travels = !cx.run.on_this_machine;
    let zipping = move || archive::zip_bootstrap(&program, travels);
    let zipped = tokio::task::spawn_blocking(zipping).await;
    Ok(Package { bytes: zipped.unwrap_or(Err(PackageFault::Abandoned))? })
}

/// Says in a plan where a package comes from: its bytes do not tell.
fn packed(cx: &Context, code: &str, path: PathBuf, form: CodeForm) {
    cx.plan(Progress::Packed { code: code.to_owned(), path, form });
}

fn form_of(path: &str, real: &Path) -> CodeForm {
    let extension = Path::new(path).extension();
    if real.is_dir() {
        CodeForm::Directory
    } else if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
        CodeForm::Zip
    } else {
        CodeForm::File
    }
}

impl CargoBinary {
    /// What a dry run sends instead of a package that it has not built.
    fn stand_in(&self) -> String {
        engine::language::template::marker(&format!(
            "zip of cargo {}, bin {}",
            self.cargo, self.bin
        ))
    }
}

/// Where files named in a playbook are looked for, and what they must not leave.
struct Bounds {
    directory: PathBuf,
    root: PathBuf,
}

impl Bounds {
    fn of(cx: &Context) -> Result<Self, PackageFault> {
        Self::new(&cx.directory, &cx.root)
    }

    fn new(directory: &Path, root: &Path) -> Result<Self, PackageFault> {
        let real = |path: &Path| {
            path.canonicalize()
                .map_err(|error| PackageFault::unreadable(&path.display().to_string(), &error))
        };
        Ok(Self { directory: real(directory)?, root: real(root)? })
    }

    /// Where a file really is.
    fn find(&self, path: &str) -> Result<PathBuf, PackageFault> {
        if path.trim().is_empty() {
            return Err(PackageFault::NoPath);
        }
        let real = self
            .directory
            .join(path)
            .canonicalize()
            .map_err(|error| PackageFault::unreadable(path, &error))?;
        if real.starts_with(&self.root) {
            Ok(real)
        } else {
            Err(PackageFault::Outside { path: path.to_owned() })
        }
    }
}

fn zip_path(path: &str, within: &Bounds) -> Result<Vec<u8>, PackageFault> {
    let real = within.find(path)?;
    match form_of(path, &real) {
        CodeForm::Directory => archive::zip_directory(path, &real, &within.root),
        CodeForm::Zip => archive::ready(path, &real),
        CodeForm::File | CodeForm::Program(_) => archive::zip_file(path, &real),
    }
}

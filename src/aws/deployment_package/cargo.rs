//! Rust handlers: built by cargo for this machine, or by cargo-lambda for AWS.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use aws_sdk_lambda::types::Architecture;
use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;

use crate::step::{Context, Progress, StepError};

/// How many lines of a failed build's output are shown.
const LINES_SHOWN: usize = 40;

/// Builds a binary; where it is then.
pub(super) async fn build(
    cx: &Context,
    directory: &Path,
    bin: &str,
    architecture: &Architecture,
) -> Result<PathBuf, StepError> {
    (cx.progress)(Progress::Waiting(format!("Building {bin}")));
    if cx.run.on_this_machine {
        build_for_this_machine(cx, directory, bin).await
    } else {
        build_for_aws(cx, directory, bin, architecture).await
    }
}

async fn build_for_this_machine(
    cx: &Context,
    directory: &Path,
    bin: &str,
) -> Result<PathBuf, StepError> {
    let package = Package::find(&metadata(cx, directory, bin).await?, directory);
    let arguments = ["build", "--bin", bin, "--message-format=json-render-diagnostics"];
    let place = package.as_ref().map_or(directory, Package::place);
    let output = succeed(cx, place, bin, &arguments).await?;
    executable(&output.stdout, bin, package.as_ref()).ok_or_else(|| {
        StepError::failed("BuildFailed", format!("cargo did not say where it put the binary {bin}"))
    })
}

/// What cargo knows about the packages of a directory.
///
/// <https://doc.rust-lang.org/cargo/commands/cargo-metadata.html>
async fn metadata(cx: &Context, directory: &Path, bin: &str) -> Result<Metadata, StepError> {
    let output =
        succeed(cx, directory, bin, &["metadata", "--format-version=1", "--no-deps"]).await?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        StepError::failed("BuildFailed", format!("what cargo says of its packages is odd: {error}"))
    })
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Listed>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
    /// Since cargo 1.71.
    #[serde(default)]
    workspace_default_members: Vec<String>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    manifest_path: PathBuf,
}

/// The package that a directory holds.
#[derive(Debug, PartialEq)]
struct Package {
    manifest: PathBuf,
    /// The workspace's root, where it is among the packages that are built there unless others are named: what a build
    /// there has made is then used again, because the features of shared crates are the same.
    root: Option<PathBuf>,
}

impl Package {
    fn find(metadata: &Metadata, directory: &Path) -> Option<Self> {
        let manifest = directory.canonicalize().ok()?.join("Cargo.toml");
        let listed = metadata.packages.iter().find(|it| it.manifest_path == manifest)?;
        let shared = metadata.workspace_default_members.contains(&listed.id);
        Some(Self { manifest, root: shared.then(|| metadata.workspace_root.clone()) })
    }

    fn place(&self) -> &Path {
        let own = self.manifest.parent().unwrap_or(&self.manifest);
        self.root.as_deref().unwrap_or(own)
    }
}

/// Where the binary is, from cargo's messages. Another package of the workspace may have one of that name.
///
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>
fn executable(messages: &[u8], bin: &str, package: Option<&Package>) -> Option<PathBuf> {
    let of_package = |message: &Value| {
        package.is_none_or(|package| {
            message["manifest_path"].as_str().map(Path::new) == Some(&package.manifest)
        })
    };
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| {
            message["reason"] == "compiler-artifact" && message["target"]["name"] == bin
        })
        .filter(of_package)
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
}

async fn build_for_aws(
    cx: &Context,
    directory: &Path,
    bin: &str,
    architecture: &Architecture,
) -> Result<PathBuf, StepError> {
    if !cargo(cx, directory, &["lambda", "--version"]).await?.status.success() {
        return Err(StepError::input(
            "code",
            "building a Rust handler for AWS takes cargo-lambda, which is not installed",
            "install it with `pip install cargo-lambda` or `cargo install cargo-lambda`, name a ready .zip, or try it \
             with --local, which builds for this machine",
        ));
    }
    let target = metadata(cx, directory, bin).await?.target_directory;
    let processor = if *architecture == Architecture::Arm64 { "--arm64" } else { "--x86-64" };
    let arguments =
        ["lambda", "build", "--release", "--output-format", "binary", processor, "--bin", bin];
    succeed(cx, directory, bin, &arguments).await?;
    Ok(target.join("lambda").join(bin).join("bootstrap"))
}

async fn succeed(
    cx: &Context,
    directory: &Path,
    bin: &str,
    arguments: &[&str],
) -> Result<Output, StepError> {
    let output = cargo(cx, directory, arguments).await?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    Err(StepError::Failed {
        code: "BuildFailed".to_owned(),
        message: format!("the handler {bin} could not be built"),
        help: Some(format!("run `cargo {}` in its directory", arguments.join(" "))),
        details: lines[lines.len().saturating_sub(LINES_SHOWN)..].to_vec(),
    })
}

async fn cargo(cx: &Context, directory: &Path, arguments: &[&str]) -> Result<Output, StepError> {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(directory).stdin(Stdio::null()).kill_on_drop(true);
    tokio::select! {
        output = command.output() => output.map_err(|error| {
            StepError::input(
                "code",
                format!("cargo cannot be started: {error}"),
                "install Rust from https://rustup.rs, or name a ready .zip",
            )
        }),
        () = cx.interrupt.wait() => Err(StepError::Interrupted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_that_of_the_binary_asked_for() {
        let messages =
            br#"{"reason":"compiler-artifact","target":{"name":"handler"},"manifest_path":"/w/a/Cargo.toml","executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"other"},"manifest_path":"/w/a/Cargo.toml","executable":"/t/other"}
{"reason":"compiler-artifact","target":{"name":"handler"},"manifest_path":"/w/a/Cargo.toml","executable":"/t/handler"}
{"reason":"compiler-artifact","target":{"name":"handler"},"manifest_path":"/w/b/Cargo.toml","executable":"/t/b"}
{"reason":"build-finished","success":true}
"#;
        let package = Package { manifest: PathBuf::from("/w/a/Cargo.toml"), root: None };
        let at = |bin, package| executable(messages, bin, package);
        assert_eq!(at("handler", Some(&package)), Some(PathBuf::from("/t/handler")));
        assert_eq!(at("handler", None), Some(PathBuf::from("/t/b")));
        assert_eq!(at("absent", Some(&package)), None);
    }

    #[test]
    fn a_default_member_is_built_where_the_workspace_is() {
        let root = tempfile::TempDir::new().expect("a directory");
        let root = root.path().canonicalize().expect("a path");
        let metadata = |default: &[&str]| Metadata {
            packages: ["one", "other"]
                .map(|name| Listed {
                    id: name.to_owned(),
                    manifest_path: root.join(name).join("Cargo.toml"),
                })
                .into(),
            target_directory: root.join("target"),
            workspace_root: root.clone(),
            workspace_default_members: default.iter().map(|&id| id.to_owned()).collect(),
        };
        let one = root.join("one");
        std::fs::create_dir(&one).expect("a directory");
        let place = |default: &[&str], directory: &Path| {
            Package::find(&metadata(default), directory).map(|it| it.place().to_owned())
        };
        assert_eq!(place(&["one"], &one), Some(root.clone()));
        assert_eq!(place(&["other"], &one), Some(one.clone()));
        assert_eq!(place(&[], &one), Some(one));
        assert_eq!(place(&["one"], &root), None);
    }
}

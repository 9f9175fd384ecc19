//! Rust handlers: built by cargo for this machine, or by cargo-lambda for AWS.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use aws_sdk_lambda::types::Architecture;
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
    let arguments = ["build", "--bin", bin, "--message-format=json-render-diagnostics"];
    let output = succeed(cx, directory, bin, &arguments).await?;
    executable(&output.stdout, bin).ok_or_else(|| {
        StepError::failed("BuildFailed", format!("cargo did not say where it put the binary {bin}"))
    })
}

/// Where the binary is, from cargo's messages.
///
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>
fn executable(messages: &[u8], bin: &str) -> Option<PathBuf> {
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| {
            message["reason"] == "compiler-artifact" && message["target"]["name"] == bin
        })
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
    let metadata =
        succeed(cx, directory, bin, &["metadata", "--format-version=1", "--no-deps"]).await?;
    let target = serde_json::from_slice::<Value>(&metadata.stdout)
        .ok()
        .and_then(|metadata| metadata["target_directory"].as_str().map(PathBuf::from))
        .ok_or_else(|| StepError::failed("BuildFailed", "cargo did not say where it builds"))?;
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
            br#"{"reason":"compiler-artifact","target":{"name":"handler"},"executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"other"},"executable":"/t/other"}
{"reason":"compiler-artifact","target":{"name":"handler"},"executable":"/t/handler"}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(executable(messages, "handler"), Some(PathBuf::from("/t/handler")));
        assert_eq!(executable(messages, "absent"), None);
    }
}

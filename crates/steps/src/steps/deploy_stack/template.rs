//! A template's text, from a file of the repository.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::policy::administrators_of;
use engine::regular_file;
use engine::step::{Context, StepError};

/// What CloudFormation takes in a request; longer templates go by way of S3.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const LONGEST: usize = 51_200;

/// What is longer is not even read to say how long it is.
const MOST_READ: u64 = 16 << 20;

/// Reads a template, as long as it lies under the playbook's root.
pub(super) async fn read(cx: &Context, path: &str) -> Result<String, StepError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => fault(format!("there is no file `{path}`")),
        std::io::ErrorKind::InvalidData => fault(format!("`{path}` is no text")),
        _ => fault(format!("`{path}` cannot be read: {error}")),
    };
    let root = real(&cx.root).await.map_err(unreadable)?;
    let file = real(&cx.directory.join(path)).await.map_err(unreadable)?;
    if !file.starts_with(&root) {
        return Err(fault(format!("`{path}` leads out of the playbook's directory")));
    }
    let text = regular_file::read_to_string(&file, MOST_READ).map_err(unreadable)?;
    if text.len() > LONGEST {
        return Err(fault(format!(
            "`{path}` has {} bytes; CloudFormation takes {LONGEST} at most",
            text.len()
        )));
    }
    Ok(text)
}

/// Refuses a template that lets somebody do anything, unless the run was told that it may.
pub(super) fn check_policies<'a>(
    cx: &Context,
    template: &str,
    parameters: impl Iterator<Item = (&'a String, &'a String)>,
) -> Result<(), StepError> {
    if cx.run.allow_admin {
        return Ok(());
    }
    let parameters: BTreeMap<_, _> = parameters.map(|(k, v)| (k.clone(), v.clone())).collect();
    let administrators = administrators_of(template, &parameters);
    if administrators.is_empty() {
        return Ok(());
    }
    Err(StepError::Failed {
        code: "AdministratorPolicy".to_owned(),
        message: format!(
            "the template has a policy that allows everything, and was not deployed: see {}",
            administrators.join(", ")
        ),
        help: Some("name policies that allow what is needed, or run with --allow-admin".to_owned()),
        details: Vec::new(),
    })
}

async fn real(path: &std::path::Path) -> std::io::Result<PathBuf> {
    tokio::fs::canonicalize(path).await
}

fn fault(message: String) -> StepError {
    StepError::input(
        "template",
        message,
        "give the path of a template, relative to the playbook, in the playbook's repository",
    )
}

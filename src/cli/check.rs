//! `playbook check`.

use super::args::{CheckArgs, CheckFormat};
use super::disk::Disk;
use super::exit::Exit;
use super::output::Output;
use crate::report::safe;
use ::steps::Registry;
use language::diagnostic::{self, Diagnostic, Sources};
use language::playbook;

/// Parses, resolves and type-checks; calls nothing.
pub(super) fn check(args: &CheckArgs, output: Output) -> Exit {
    let mut sources = Sources::new();
    let mut found = Vec::new();
    let mut fine = Vec::new();
    let disk = Disk::with(&args.library);
    for file in &args.files {
        let checked = playbook::check(file, &disk, &Registry, &mut sources);
        let denied = args.deny_warnings && !checked.found.is_empty();
        if let Some(playbook) = checked.playbook.filter(|_| !denied) {
            let warnings = match checked.found.len() {
                0 => String::new(),
                1 => ", with 1 warning".to_owned(),
                count => format!(", with {count} warnings"),
            };
            let (file, name) = (file.display().to_string(), &playbook.name);
            fine.push(format!("{}: {} is fine{warnings}\n", safe::line(&file), safe::line(name)));
        }
        found.extend(checked.found);
    }
    let wrong = found.iter().any(Diagnostic::is_error);
    let denied = args.deny_warnings && !found.is_empty();
    let told = match args.output {
        CheckFormat::Human => {
            let told = output.result(&fine.concat());
            if !found.is_empty() {
                output.findings(&found, &sources, if denied { "warnings are denied" } else { "" });
            }
            told
        }
        CheckFormat::Json => document(output, &diagnostic::document(&found, &sources)),
        CheckFormat::Sarif => document(output, &diagnostic::log(&found, &sources)),
    };
    if wrong || denied { Exit::WRONG } else { told }
}

fn document(output: Output, document: &serde_json::Value) -> Exit {
    output.result(&safe::json(&format!("{document:#}\n")))
}

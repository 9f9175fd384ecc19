//! `playbook schema`.

use super::exit::Exit;
use super::output::Output;
use ::steps::Registry;
use language::playbook::json_schema;

/// Prints the JSON Schema of a playbook.
pub(super) fn command(output: Output) -> Exit {
    output.result(&text())
}

/// The JSON Schema of a playbook, as a file.
pub(super) fn text() -> String {
    format!("{:#}\n", json_schema(&Registry))
}

//! `playbook schema`.

use super::exit::Exit;
use super::output::Output;
use ::steps::Registry;
use engine::event::Event;
use language::playbook::json_schema;

/// Prints the JSON Schema of a playbook, or of an event.
pub(super) fn command(events: bool, output: Output) -> Exit {
    output.result(&if events { of_events() } else { text() })
}

/// The JSON Schema of a playbook, as a file.
pub(super) fn text() -> String {
    format!("{:#}\n", json_schema(&Registry))
}

/// The JSON Schema of an event, as a file.
fn of_events() -> String {
    format!("{:#}\n", schemars::schema_for!(Event).as_value())
}

//! `playbook schema`.

use super::exit::Exit;
use super::output::Output;
use ::steps::{Registry, operations_of};
use engine::event::Event;
use engine::step::Spec;
use language::playbook::json_schema;

/// Prints the JSON Schema of a playbook, with the operations of some services, or of an event.
pub(super) fn command(services: &[String], events: bool, output: Output) -> Exit {
    if events {
        return output.result(&of_events());
    }
    let mut operations = Vec::new();
    for service in services {
        match operations_of(service) {
            Ok(its) => operations.extend(its),
            Err(unknown) => return output.fail(&unknown.message, Some(&unknown.help)),
        }
    }
    output.result(&with_operations(&operations))
}

/// The JSON Schema of a playbook, as a file.
pub(super) fn text() -> String {
    with_operations(&[])
}

fn with_operations(operations: &[&Spec]) -> String {
    format!("{:#}\n", json_schema(&Registry, operations))
}

/// The JSON Schema of an event, as a file.
fn of_events() -> String {
    format!("{:#}\n", schemars::schema_for!(Event).as_value())
}

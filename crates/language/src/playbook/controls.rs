//! The kinds that hold other steps or end the run: part of the language, not of the registry.

use serde_json::{Value, json};

/// What such a kind says of itself.
#[derive(Debug)]
pub struct Control {
    /// Such as `repeat`.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The rest.
    pub details: &'static str,
    /// An example step, as YAML.
    pub example: &'static str,
    schema: fn() -> Value,
}

impl Control {
    /// JSON Schema of what stands under the kind. Its references lead to the definitions of [`super::json_schema`].
    #[must_use]
    pub fn schema(&self) -> Value {
        (self.schema)()
    }
}

/// Every control kind, in the order in which `playbook steps` lists them.
pub static CONTROLS: [Control; 5] = [
    Control {
        name: "block",
        summary: "Runs steps that belong together.",
        details: "The first step that fails ends the block. `rescue` and `always` stand beside `block`, in the same \
                  step. With a `rescue` that passes, the block has passed too.",
        example: "\
- name: Sign up
  block:
    - fail: {message: nobody can sign up today}
  rescue:
    - print: \"Sign-up failed: {{ error.code }}: {{ error.message }}\"
  always:
    - print: That was it.
",
        schema: || json!({"$ref": "#/$defs/steps"}),
    },
    Control {
        name: "repeat",
        summary: "Runs steps again and again until something is true.",
        details: "The steps run at least once.",
        example: "\
- repeat:
    until: not steps.again.answer
    steps:
      - print: Calculating
      - id: again
        confirm: Do you want to calculate again?
",
        schema: || {
            json!({
                "type": "object",
                "properties": {
                    "until": {"description": "Looked at after each round.", "$ref": "#/$defs/expression"},
                    "steps": {"description": "Run in order, each round.", "$ref": "#/$defs/steps"},
                    "limit": {"description": "The most rounds; more fail the step.", "type": "integer", "minimum": 1, "default": 1000}
                },
                "required": ["until", "steps"],
                "additionalProperties": false
            })
        },
    },
    Control {
        name: "parallel",
        summary: "Runs steps at the same time.",
        details: "None of them sees what another of them returns; the steps behind see all. When one fails, no other begins, \
                  what is under way comes to its end, and the whole has failed. A dry run and the summary keep the order in \
                  which they are written. For the rounds of a loop, write `parallel: 4` beside `for_each`.",
        example: "\
- parallel:
    max: 4
    steps:
      - id: orders
        create-log-group: {log_group_name: \"/{{ run.id }}/orders\"}
      - id: invoices
        create-log-group: {log_group_name: \"/{{ run.id }}/invoices\"}
- print: \"{{ steps.orders.log_group_name }} and {{ steps.invoices.log_group_name }}\"
",
        schema: || {
            json!({
                "type": "object",
                "properties": {
                    "steps": {"description": "Run at the same time.", "$ref": "#/$defs/steps"},
                    "max": {"description": "How many of them at once; all, where it does not say.", "type": "integer", "minimum": 1}
                },
                "required": ["steps"],
                "additionalProperties": false
            })
        },
    },
    Control {
        name: "include",
        summary: "Runs another playbook, with inputs and outputs of its own.",
        details: "What the other playbook makes belongs to this run, and is removed with it. Its `outputs` are the \
                  step's outputs.",
        example: "\
- id: stack
  include:
    file: lib/user-pool.yaml
    inputs: {name: \"playbook-{{ run.id }}\"}
",
        schema: || {
            json!({
                "type": "object",
                "properties": {
                    "file": {"title": "file", "description": "The playbook, relative to this one.", "type": "string"},
                    "inputs": {
                        "description": "The values of its inputs. It is never asked for the others: they need defaults.",
                        "type": "object"
                    }
                },
                "required": ["file"],
                "additionalProperties": false
            })
        },
    },
    Control {
        name: "cleanup",
        summary: "Removes everything the run has made, in reverse order.",
        details: "Where no step does it, it happens at the end of the run, and always after a failure.",
        example: "- cleanup: {confirm: Do you want to remove everything?}\n",
        schema: || {
            json!({
                "type": ["object", "null"],
                "properties": {
                    "confirm": {"description": "What to ask first; with the answer no, everything stays.", "type": "string"}
                },
                "additionalProperties": false
            })
        },
    },
];

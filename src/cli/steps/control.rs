//! The kinds that hold other steps or end the run: part of the language, not of the registry.

/// What such a kind says of itself.
pub(super) struct Control {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) details: &'static str,
    /// Name, type, description.
    pub(super) keys: &'static [(&'static str, &'static str, &'static str)],
    pub(super) example: &'static str,
}

pub(super) const CONTROLS: &[Control] = &[
    Control {
        name: "block",
        summary: "Runs steps that belong together.",
        details: "The first step that fails ends the block. `rescue` and `always` stand beside `block`, in the same \
                  step. With a `rescue` that passes, the block has passed too.",
        keys: &[
            ("block", "list of steps, required", "Run in order."),
            (
                "rescue",
                "list of steps",
                "Run when a step in the block has failed; `error` says why.",
            ),
            ("always", "list of steps", "Run whatever happened, last."),
        ],
        example: "\
- name: Sign up
  block:
    - fail: {message: nobody can sign up today}
  rescue:
    - print: \"Sign-up failed: {{ error.code }}: {{ error.message }}\"
  always:
    - print: That was it.
",
    },
    Control {
        name: "repeat",
        summary: "Runs steps again and again until something is true.",
        details: "The steps run at least once.",
        keys: &[
            ("until", "expression, required", "Looked at after each round."),
            ("steps", "list of steps, required", "Run in order, each round."),
            ("limit", "whole number, default 1000", "The most rounds; more fail the step."),
        ],
        example: "\
- repeat:
    until: not steps.again.answer
    steps:
      - print: Calculating
      - id: again
        confirm: Do you want to calculate again?
",
    },
    Control {
        name: "include",
        summary: "Runs another playbook, with inputs and outputs of its own.",
        details: "What the other playbook makes belongs to this run, and is removed with it. Its `outputs` are the \
                  step's outputs.",
        keys: &[
            ("file", "file, required", "The playbook, relative to this one."),
            (
                "inputs",
                "map",
                "The values of its inputs. It is never asked for the others: they need defaults.",
            ),
        ],
        example: "\
- id: stack
  include:
    file: lib/user-pool.yaml
    inputs: {name: \"playbook-{{ run.id }}\"}
",
    },
    Control {
        name: "cleanup",
        summary: "Removes everything the run has made, in reverse order.",
        details: "Where no step does it, it happens at the end of the run, and always after a failure.",
        keys: &[("confirm", "string", "What to ask first; with the answer no, everything stays.")],
        example: "- cleanup: {confirm: Do you want to remove everything?}\n",
    },
];

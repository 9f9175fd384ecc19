//! How long a check of thousands of steps takes, and where the time goes by kind of step.
#![allow(clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use language::diagnostic::Sources;
use language::playbook::{FileKind, Files, load};
use language::spec::{Kinds, Spec};
use serde_json::json;

const STEPS: usize = 10_000;
const ROUNDS: u32 = 10;

struct Print;

impl Kinds for Print {
    fn names(&self) -> Vec<&'static str> {
        vec!["print"]
    }

    fn spec(&self, name: &str) -> Option<&'static Spec> {
        static SPEC: OnceLock<Spec> = OnceLock::new();
        (name == "print").then(|| {
            SPEC.get_or_init(|| Spec {
                name: "print",
                summary: "Prints.".to_owned(),
                details: String::new(),
                input: json!({
                    "type": "object",
                    "properties": {"message": {"description": "What.", "x-shown": true}},
                    "required": ["message"],
                    "additionalProperties": false,
                }),
                output: json!({"type": "object", "properties": {"message": {"type": "string"}}}),
                secret_inputs: Vec::new(),
                secret_outputs: Vec::new(),
                shorthand: Some("message"),
                calls: &[],
                calls_on_failure: &[],
                permissions: &[],
                undo_permissions: Vec::new(),
                makes: Vec::new(),
                example: "- print: Hello\n",
                operation: None,
            })
        })
    }
}

/// A disk with one file.
struct One(String);

impl Files for One {
    fn read(&self, _: &Path) -> Result<String, String> {
        Ok(self.0.clone())
    }

    fn kind(&self, _: &Path) -> Option<FileKind> {
        Some(FileKind::File)
    }

    fn root_of(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    fn names(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        Some(path.to_owned())
    }
}

fn playbook(step: impl Fn(usize) -> String) -> One {
    let mut text = "name: many\nsteps:\n".to_owned();
    for number in 0..STEPS {
        let _ = writeln!(text, "{}", step(number));
    }
    One(text)
}

fn measure(what: &str, disk: &One) {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let read = load(Path::new("many.yaml"), disk, &Print, &mut Sources::new());
        assert!(read.is_ok(), "{:?}", read.err().map(|faults| faults.into_iter().next()));
        best = best.min(started.elapsed());
    }
    println!("{what}: {} ms for {STEPS} steps", best.as_millis());
}

fn main() {
    measure("plain text", &playbook(|number| format!("  - print: step {number}")));
    measure(
        "an expression each",
        &playbook(|number| format!("  - print: \"step {number} of {{{{ run.id }}}}\"")),
    );
    measure(
        "ids and conditions",
        &playbook(|number| {
            let before = number.saturating_sub(1);
            let when = if number == 0 {
                "run.local".to_owned()
            } else {
                format!("steps.s{before}.message != ''")
            };
            format!("  - id: s{number}\n    when: {when} and true\n    print: \"{{{{ run.id }}}}\"")
        }),
    );
}

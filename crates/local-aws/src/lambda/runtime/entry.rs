//! Which program runs a function.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tokio::sync::Mutex;

use super::{Deployment, Fault};

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryPoint {
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    /// What whoever reads the log should know of it.
    pub(super) remark: Option<String>,
}

/// An interpreter of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Interpreter {
    program: PathBuf,
    version: String,
}

/// An interpreter as it may be found.
#[derive(Debug, Clone, Copy)]
struct Language {
    name: &'static str,
    fallback: &'static str,
    /// Arguments that make it print where its program file is, and its version.
    probe: [&'static str; 2],
}

const PYTHON: Language = Language {
    name: "Python",
    fallback: "python3",
    probe: ["-Sc", "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2], sep='\\n')"],
};
const NODE: Language = Language {
    name: "Node.js",
    fallback: "node",
    probe: ["-p", "process.execPath + '\\n' + process.versions.node.split('.')[0]"],
};

/// The interpreters of this machine, each looked for once.
#[derive(Debug, Default)]
pub(super) struct Interpreters {
    found: Mutex<HashMap<String, Interpreter>>,
}

impl Interpreters {
    /// The program for that function, whose package is unpacked in `task`.
    pub(super) async fn entry_point(
        &self,
        deployment: &Deployment,
        task: &Path,
        loaders: &Path,
    ) -> Result<EntryPoint, Fault> {
        let runtime = deployment.runtime.as_str();
        let bootstrap = task.join("bootstrap");
        if runtime.starts_with("provided") || is_executable(&bootstrap) {
            return own_bootstrap(bootstrap);
        }
        let (language, candidate, loader) = if runtime.starts_with("python") {
            (PYTHON, runtime, "bootstrap.py")
        } else if runtime.starts_with("nodejs") {
            (NODE, NODE.fallback, "index.mjs")
        } else {
            return Err(unsupported(runtime));
        };
        let interpreter =
            self.find(language, candidate).await.ok_or_else(|| missing(language, runtime))?;
        let remark = remark(language, runtime, &interpreter);
        let mut args: Vec<OsString> = Vec::new();
        if language.name == NODE.name {
            args.extend(memory_options(deployment.memory_mb).map(OsString::from));
        }
        args.push(loaders.join(loader).into());
        Ok(EntryPoint { program: interpreter.program, args, remark })
    }

    /// Finds a function's interpreter before it is needed.
    pub(super) async fn warm_up(&self, runtime: &str) {
        if runtime.starts_with("python") {
            self.find(PYTHON, runtime).await;
        } else if runtime.starts_with("nodejs") {
            self.find(NODE, NODE.fallback).await;
        }
    }

    async fn find(&self, language: Language, candidate: &str) -> Option<Interpreter> {
        let mut found = self.found.lock().await;
        if let Some(interpreter) = found.get(candidate) {
            return Some(interpreter.clone());
        }
        let (exact, fallback) = tokio::join!(
            locate(candidate, language.probe),
            locate(language.fallback, language.probe)
        );
        let interpreter = exact.or(fallback)?;
        found.insert(candidate.to_owned(), interpreter.clone());
        Some(interpreter)
    }
}

/// Asks an interpreter for its program file: what is on PATH may be a version manager's stand-in, slow or without the
/// version behind it.
async fn locate(command: &str, probe: [&str; 2]) -> Option<Interpreter> {
    let output = Command::new(command)
        .args(probe)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    let told = String::from_utf8(output.stdout).ok()?;
    let (path, version) = told.trim().split_once('\n')?;
    let interpreter = Interpreter { program: PathBuf::from(path), version: version.to_owned() };
    (output.status.success() && interpreter.program.is_absolute()).then_some(interpreter)
}

/// What Lambda tells Node.js of a function's memory: how much of it may be old objects, and how much new ones.
fn memory_options(memory_mb: u32) -> [String; 2] {
    [
        format!("--max-old-space-size={}", memory_mb * 9 / 10),
        format!("--max-semi-space-size={}", (memory_mb / 20).max(1)),
    ]
}

/// A function that runs on another version than it asks for may do something else than on AWS.
fn remark(language: Language, runtime: &str, interpreter: &Interpreter) -> Option<String> {
    let wanted = runtime.trim_start_matches(|character: char| character.is_ascii_alphabetic());
    let wanted = wanted.trim_end_matches(".x");
    let Interpreter { program, version } = interpreter;
    (wanted != version).then(|| {
        format!(
            "The local AWS of playbook found no {name} {wanted}: this function of the runtime {runtime} runs with {name} \
             {version} ({path}).",
            name = language.name,
            path = program.display()
        )
    })
}

fn own_bootstrap(bootstrap: PathBuf) -> Result<EntryPoint, Fault> {
    const INVALID: &str = "Runtime.InvalidEntrypoint";
    match std::fs::metadata(&bootstrap) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Fault::new(
            INVALID,
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
        )),
        Ok(_) if is_executable(&bootstrap) => {
            Ok(EntryPoint { program: bootstrap, args: Vec::new(), remark: None })
        }
        _ => Err(Fault::new(INVALID, "fork/exec /var/task/bootstrap: permission denied")),
    }
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn missing(language: Language, runtime: &str) -> Fault {
    let Language { name, fallback, .. } = language;
    Fault::new(
        "Runtime.InterpreterNotFound",
        format!(
            "the runtime {runtime} needs {name}, and there is no working '{fallback}' on the PATH of the local AWS. \
             Install {name} and start again."
        ),
    )
}

fn unsupported(runtime: &str) -> Fault {
    Fault::new(
        "Runtime.NotSupportedLocally",
        format!(
            "the local AWS of playbook cannot execute functions of the runtime {runtime}. It executes python3.*, \
             nodejs* and provided.*. Use one of these, or run against a real account."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn interpreters_are_found_where_they_really_are() {
        let interpreters = Interpreters::default();
        let python = interpreters.find(PYTHON, "python3.99").await.expect("the fallback");
        let program = &python.program;
        assert!(program.is_absolute() && is_executable(program), "{}", program.display());
        let told = remark(PYTHON, "python3.99", &python).expect("another version");
        assert!(
            told.contains("found no Python 3.99: this function of the runtime python3.99 runs")
        );
        let asked_for = format!("python{}", python.version);
        assert_eq!(remark(PYTHON, &asked_for, &python), None);
        let none = Language { fallback: "no-such-interpreter", ..PYTHON };
        assert_eq!(interpreters.find(none, "nor-this-one").await, None);
    }

    #[test]
    fn a_program_that_prints_no_path_is_no_interpreter() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let path = runtime.expect("a runtime").block_on(locate("echo", ["not", "a path"]));
        assert_eq!(path, None);
    }

    #[test]
    fn messages_say_what_to_do() {
        assert!(missing(NODE, "nodejs22.x").message.contains("Install Node.js"));
        assert!(
            unsupported("java21")
                .message
                .contains("cannot execute functions of the runtime java21")
        );
    }
}

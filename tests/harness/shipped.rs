//! The shipped playbooks, run where they are.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::sandbox::repository;

/// What a shipped playbook needs whose handlers are Rust: the repository, cargo with what it has downloaded already, and
/// a password. The handlers are built before: nobody knows how long that takes.
pub fn prepare(command: &mut Command) -> &mut Command {
    build_handlers();
    command.current_dir(repository()).envs(cargo()).env("PLAYBOOK_INPUT_PASSWORD", PASSWORD)
}

/// A password that the shipped user pool accepts.
pub const PASSWORD: &str = "Correct-horse-7";

/// Where cargo and its toolchains are, wherever the home directory is said to be.
fn cargo() -> Vec<(&'static str, PathBuf)> {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    let of = |name: &'static str, directory: &str| {
        (name, std::env::var_os(name).map_or_else(|| home.join(directory), PathBuf::from))
    };
    vec![of("CARGO_HOME", ".cargo"), of("RUSTUP_HOME", ".rustup")]
}

fn build_handlers() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut command = Command::new("cargo");
        command
            .args(["build", "--quiet", "--bins"])
            .current_dir(repository().join("handlers"))
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(cargo());
        assert!(command.status().unwrap().success(), "the handlers cannot be built");
    });
}

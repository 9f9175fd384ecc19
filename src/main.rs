//! The `playbook` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    playbook::cli::main(std::env::args_os())
}

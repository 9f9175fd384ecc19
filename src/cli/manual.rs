//! `playbook manual`.

use std::io;
use std::path::Path;

use clap::CommandFactory;

use super::args::Cli;
use super::completions::visible;
use super::exit::Exit;
use super::output::Output;

/// Prints `playbook.1`, or writes it and a page for each command into a directory.
pub(super) fn command(directory: Option<&Path>, output: Output) -> Exit {
    let command = visible(&Cli::command());
    let Some(directory) = directory else {
        let mut page = Vec::new();
        return match clap_mangen::Man::new(command).render(&mut page) {
            Ok(()) => output.result(&String::from_utf8_lossy(&page)),
            Err(error) => output.fail(&error.to_string(), None),
        };
    };
    match write(command, directory) {
        Ok(()) => output.result(&format!("Wrote the manual into {}.\n", directory.display())),
        Err(error) => {
            let help = "name a directory that can be written to";
            output.fail(&format!("{}: {error}", directory.display()), Some(help))
        }
    }
}

fn write(command: clap::Command, directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(command, directory)
}

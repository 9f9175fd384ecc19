//! `playbook completions`.

use clap::CommandFactory;

use super::args::Cli;
use super::exit::Exit;
use super::output::Output;

/// Prints a completion script.
pub(super) fn command(shell: clap_complete::Shell, output: Output) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(&Cli::command()), "playbook", &mut script);
    output.result(&String::from_utf8_lossy(&script))
}

/// The command line without what only the program itself calls: some shells would offer it.
pub(super) fn visible(command: &clap::Command) -> clap::Command {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    let about = command.get_about().cloned().unwrap_or_default();
    let after_help = command.get_after_help().cloned().unwrap_or_default();
    clap::Command::new("playbook")
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .after_help(after_help)
        .args(command.get_arguments().cloned())
        .subcommands(shown.cloned())
}

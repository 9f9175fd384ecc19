//! One file per subcommand; the only place that wires the rest together.

mod args;
#[cfg(feature = "local")]
mod chaos;
mod check;
mod cleanup;
mod completions;
mod connect_help;
mod disk;
mod dumps;
mod exit;
mod explain;
mod guard;
mod inbox;
mod inputs;
mod jobs;
mod language_page;
mod manual;
mod new;
mod output;
mod prepare;
mod resume;
mod run;
mod runs;
mod schema;
#[cfg(feature = "local")]
mod serve;
mod signals;
mod start_at;
mod state;
mod steps;
mod target;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, ColorChoice, Command};
use exit::Exit;
use output::Output;

use ::steps::Registry;

/// Does what the command line says; returns the exit code.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    dumps::forbid();
    let args = match Cli::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let told = Output::new(ColorChoice::Auto).told(error.print());
            let wrong = if error.use_stderr() { Exit::WRONG } else { Exit::FINE };
            return ExitCode::from(wrong.max(told).code());
        }
    };
    let exit = dispatch(args.command, Output::new(args.color));
    ExitCode::from(exit.code())
}

fn dispatch(command: Command, output: Output) -> Exit {
    match command {
        Command::Run(args) => on_runtime(run::run(&args, &output), output),
        Command::Check(args) => check::check(&args, output),
        Command::Explain { code } => explanation(code.as_deref(), output),
        Command::Steps { markdown: Some(directory), .. } => steps_reference(&directory, output),
        Command::Steps { service: Some(service), .. } => steps_of_service(&service, output),
        Command::Steps { kind, .. } => steps_page(kind.as_deref(), output),
        Command::Schema { service, events } => schema::command(&service, events, output),
        Command::New { name, from } => starter(&name, from, output),
        Command::Runs(args) => runs::runs(&args, output),
        Command::Cleanup(args) => on_runtime(cleanup::cleanup(&args, output), output),
        Command::Manual { directory } => manual::command(directory.as_deref(), output),
        Command::Completions { shell } => completions::command(shell, output),
        #[cfg(feature = "local")]
        Command::Chaos(args) => on_runtime(chaos::chaos(&args, output), output),
        #[cfg(feature = "local")]
        Command::Serve(args) => on_runtime(serve::serve(&args, &output), output),
        #[cfg(feature = "local")]
        Command::Handler { arguments } => {
            let error = local_aws::lambda::become_handler(arguments.into_iter());
            output.error(&error.to_string(), None);
            Exit::NOT_STARTED
        }
    }
}

/// Runs what waits for others; everything else does without a runtime.
fn on_runtime(command: impl Future<Output = Exit>, output: Output) -> Exit {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(Box::pin(command));
            // A question that nobody answers any more must not keep the program.
            runtime.shutdown_background();
            exit
        }
        Err(error) => output.fail(&format!("the program cannot start: {error}"), None),
    }
}

fn starter(name: &str, from: new::StarterName, output: Output) -> Exit {
    match new::write(name, from) {
        Ok(starter) => output.result(&starter.introduction()),
        Err(error) => output.fail(&error.to_string(), Some(error.help())),
    }
}

fn explanation(code: Option<&str>, output: Output) -> Exit {
    let text = match code {
        None => explain::list(),
        Some(code) => match explain::page(code) {
            Ok(page) => page,
            Err(error) => return output.fail(&error.to_string(), Some(&error.help())),
        },
    };
    output.result(&text)
}

fn steps_page(kind: Option<&str>, output: Output) -> Exit {
    let text = match kind {
        None => steps::list(&Registry),
        Some(kind) => match steps::page(&Registry, kind) {
            Ok(page) => page,
            Err(error) => return output.fail(&error.to_string(), Some(&error.help())),
        },
    };
    output.result(&text)
}

fn steps_of_service(service: &str, output: Output) -> Exit {
    match ::steps::operations_of(service) {
        Ok(operations) => output.result(&steps::list_of_service(service, &operations)),
        Err(unknown) => output.fail(&unknown.message, Some(&unknown.help)),
    }
}

fn steps_reference(directory: &Path, output: Output) -> Exit {
    match steps::write(&steps::reference(&Registry), directory) {
        Ok(count) => output.result(&format!("Wrote {count} pages into {}.\n", directory.display())),
        Err(error) => {
            output.fail(&error.to_string(), Some("name a directory that can be written to"))
        }
    }
}

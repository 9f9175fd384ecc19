//! The command line.

mod check;
#[cfg(feature = "local")]
mod embedded;
mod run;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use check::{CheckArgs, CheckFormat};
#[cfg(feature = "local")]
pub use embedded::{ChaosArgs, ServeArgs};
pub use run::RunArgs;
pub use value::{ReportFile, ReportFormat, is_account};
use value::{duration, endpoint_url, filled};

/// Runs scenarios against AWS from YAML, and leaves the account exactly as it was.
#[derive(Debug, Parser)]
#[command(name = "playbook", version, after_help = EXIT_CODES, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// When to use colours; `NO_COLOR` is honoured.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0        all steps passed, and everything was cleaned up
  1        a step failed; everything was cleaned up
  2        the playbook or the command line is wrong; nothing was changed
  3        resources remain; they are listed, with the command that removes them
  4        what was to be told could not be written; otherwise as 0
  129/130/143
           interrupted by SIGHUP, Ctrl-C or SIGTERM; everything was cleaned up";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run playbooks, and remove what they made.
    Run(Box<RunArgs>),
    /// Find every mistake in playbooks, without network or credentials.
    Check(CheckArgs),
    /// Say what an error or a warning means, with an example, or list them all; `language` says what a playbook can say.
    #[command(
        after_help = "Examples:\n  playbook explain\n  playbook explain unknown-reference\n  playbook explain language"
    )]
    Explain {
        /// Such as `unknown-reference`; or `language`.
        code: Option<String>,
    },
    /// List the step kinds, or show one kind's page.
    #[command(
        after_help = "Examples:\n  playbook steps\n  playbook steps create-function\n  playbook steps sqs:CreateQueue\n  playbook steps --service sqs\n  playbook steps --markdown docs/steps"
    )]
    Steps {
        /// Such as `create-function`, or an operation of AWS, such as `sqs:CreateQueue`.
        kind: Option<String>,
        /// List the operations of that service of AWS instead, such as those of `sqs`.
        #[arg(long, value_name = "SERVICE", conflicts_with_all = ["kind", "markdown"], value_parser = filled)]
        service: Option<String>,
        /// Write the pages of all kinds, and an index, as Markdown into that directory.
        #[arg(long, value_name = "DIRECTORY", conflicts_with = "kind")]
        markdown: Option<PathBuf>,
    },
    /// Print the JSON Schema of a playbook, for editors.
    #[command(
        after_help = "Examples:\n  playbook schema > playbook.schema.json\n  playbook schema --service sqs,sns > playbook.schema.json\n  playbook schema --events > events.schema.json"
    )]
    Schema {
        /// Put the operations of these services of AWS into it, with all their members; commas between them.
        #[arg(long, value_name = "SERVICES", value_delimiter = ',', conflicts_with = "events", value_parser = filled)]
        service: Vec<String>,
        /// That of an event instead, as `--output json` writes it.
        #[arg(long)]
        events: bool,
    },
    /// Write a commented starter playbook.
    #[command(
        after_help = "Examples:\n  playbook new hello && playbook run hello.yaml --local\n  playbook new users --from cognito"
    )]
    New {
        /// Its name; `.yaml` is added where it is missing.
        name: String,
        /// What it shows.
        #[arg(long, value_name = "STARTER", default_value = "get-started")]
        from: super::new::StarterName,
    },
    /// List the journalled runs: when, how long ago, state, what, what is still there.
    #[command(
        after_help = "Examples:\n  playbook runs\n  playbook runs k3x9 --report html=k3x9.html --report junit=k3x9.xml"
    )]
    Runs(RunsArgs),
    /// Finish the clean-up of runs that did not finish their own.
    #[command(after_help = CLEANUP_EXAMPLES)]
    Cleanup(CleanupArgs),
    #[cfg(feature = "local")]
    /// Prove the clean-up: kill and disturb runs of a playbook at every point, recover, compare.
    Chaos(ChaosArgs),
    #[cfg(feature = "local")]
    /// Serve the embedded AWS on a loopback port, for the AWS CLI or boto3.
    #[command(after_help = "Example:\n  playbook serve --port 4566")]
    Serve(ServeArgs),
    /// Print a completion script for a shell.
    #[command(
        after_help = "Example:\n  playbook completions bash > ~/.local/share/bash-completion/completions/playbook"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, for `man`.
    #[command(
        after_help = "Examples:\n  playbook manual | man -l -\n  playbook manual --directory ~/.local/share/man/man1"
    )]
    Manual {
        /// Write it and a page for each command into that directory instead.
        #[arg(long)]
        directory: Option<PathBuf>,
    },
    #[cfg(feature = "local")]
    /// Becomes a handler process of the embedded AWS.
    #[command(name = "__handler", hide = true)]
    Handler {
        /// The handler's own command.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

const CLEANUP_EXAMPLES: &str = "\
Examples:
  playbook cleanup k3x9
  playbook cleanup --all --dry-run
  playbook cleanup --due
  playbook cleanup --tagged --region eu-west-1
  playbook cleanup --tagged --older-than 3h --yes

Exit codes:
  0  nothing remains
  2  the command line is wrong, or the journal cannot be used; nothing was deleted
  3  resources remain; they are listed, with the command that removes them, or it
     is said why the run cannot be cleaned up from here
  4  what was to be told could not be written";

/// `playbook cleanup`.
#[derive(Debug, Args)]
pub struct CleanupArgs {
    /// The run, as `playbook runs` lists it; the only one that left something where none is named.
    #[arg(conflicts_with_all = ["all", "tagged", "due"])]
    pub run: Option<String>,
    /// Every run that left something.
    #[arg(long, conflicts_with_all = ["tagged", "due"])]
    pub all: bool,
    /// Every run whose `--keep` is over.
    #[arg(long, conflicts_with = "tagged")]
    pub due: bool,
    /// List what bears the tag of a run in this account and region, with or without a journal, and remove it once told to.
    #[arg(long)]
    pub tagged: bool,
    /// Leave what runs have made that did so more recently; 2h unless given, for a run that is going on elsewhere looks the same.
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "tagged")]
    pub older_than: Option<Duration>,
    /// Remove what is listed without asking.
    #[arg(long, short, requires = "tagged")]
    pub yes: bool,
    /// Print what would be removed, and remove nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The profile of the AWS configuration to use, instead of the run's own.
    #[arg(long, value_name = "NAME", value_parser = filled)]
    pub profile: Option<String>,
    /// The region to clean up in: refused unless the run was there, which its journal knows.
    #[arg(long, value_parser = filled)]
    pub region: Option<String>,
    /// The endpoint to clean up at: refused unless the run was there, which its journal knows.
    #[arg(long, value_name = "URL", value_parser = endpoint_url)]
    pub endpoint_url: Option<String>,
    /// Give up on a resource after that long, such as 90s or 10m.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub cleanup_timeout: Option<Duration>,
    /// Remove so many resources at the same time; 4 unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub max: Option<u8>,
    /// Give up on one attempt of a call after that long; 60s unless given.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub attempt_timeout: Option<Duration>,
    /// How to tell what happens.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub output: OutputFormat,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    /// At a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When to remove what a run made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CleanupWhen {
    /// Whatever happened.
    #[default]
    Always,
    /// When every step has passed.
    OnSuccess,
    /// When the person at the terminal says so.
    Ask,
    /// Not at all: what remains is listed, exit code 3; what is in the embedded AWS ends with it.
    Never,
}

/// How to tell what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Human,
    /// Each event as a line of JSON.
    Json,
    /// Only results, failures and what remains.
    Quiet,
}

/// Which runs to tell of, and how.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// Only this run.
    pub run: Option<String>,
    /// Write a report of it from its journal, as often as wanted: `html=PATH`, `markdown=`, `junit=`, `tap=`, `json=` or
    /// `otlp=PATH`.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = value::report, requires = "run")]
    pub report: Vec<ReportFile>,
    /// How to tell it.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub output: RunsFormat,
    /// Remove the journals of finished runs; those of others stay.
    #[arg(long, conflicts_with = "run")]
    pub prune: bool,
    /// Remove those of runs that started that long ago or longer, such as `168h`.
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "prune")]
    pub older_than: Option<Duration>,
}

/// How to list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RunsFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON document: a list of the runs.
    Json,
}

/// How long the embedded AWS takes for things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LocalPace {
    /// As long as AWS.
    Real,
    /// Tens of milliseconds.
    #[default]
    Fast,
    /// No time at all.
    None,
}

#[cfg(feature = "local")]
impl From<LocalPace> for local_aws::LatencyProfile {
    fn from(pace: LocalPace) -> Self {
        match pace {
            LocalPace::Real => Self::Real,
            LocalPace::Fast => Self::Fast,
            LocalPace::None => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::RunFormat;
    use super::*;
    use clap::CommandFactory as _;

    fn run(arguments: &[&str]) -> Result<RunArgs, String> {
        let arguments = ["playbook", "run", "a.yaml"].iter().chain(arguments);
        match Cli::try_parse_from(arguments).map(|cli| cli.command) {
            Ok(Command::Run(args)) => Ok(*args),
            Ok(_) => Err("another command".to_owned()),
            Err(error) => Err(error.to_string().lines().next().unwrap_or_default().to_owned()),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_run_is_safe_by_default() {
        let args = run(&[]).expect("parses");
        assert_eq!(args.files, [PathBuf::from("a.yaml")]);
        assert_eq!((args.cleanup, args.output), (CleanupWhen::Always, RunFormat::Human));
        assert!(!args.yes && !args.local && !args.looks());
    }

    #[test]
    fn options_are_read() {
        let args = run(&[
            "--local",
            "--local-pace",
            "none",
            "--input",
            "a=b=c",
            "--report",
            "json=out=1.json",
        ]);
        let args = args.expect("parses");
        assert_eq!(args.input, ["a=b=c"]);
        assert_eq!(args.local_pace, LocalPace::None);
        let report = ReportFile { format: ReportFormat::Json, path: PathBuf::from("out=1.json") };
        assert_eq!(args.report, [report]);
        assert!(args.looks());
        let args = run(&["--cleanup", "on-success", "--cleanup-timeout", "1m30s"]).expect("parses");
        assert_eq!(args.cleanup, CleanupWhen::OnSuccess);
        assert_eq!(args.cleanup_timeout, Some(Duration::from_secs(90)));
    }

    #[test]
    fn what_contradicts_is_refused() {
        let refused = |arguments: &[&str]| run(arguments).err().unwrap_or_default();
        assert_eq!(
            refused(&["--local", "--profile", "x"]),
            "error: the argument '--local' cannot be used with '--profile <NAME>'"
        );
        assert!(
            refused(&["--local", "--endpoint-url", "http://x"]).contains("cannot be used with")
        );
        assert!(
            refused(&["--local", "--expect-account", "123456789012"])
                .contains("cannot be used with")
        );
        assert!(
            refused(&["--local-pace", "real"]).contains("required arguments were not provided")
        );
    }

    #[test]
    fn malformed_values_say_what_to_write() {
        let refused = |arguments: &[&str]| run(arguments).err().unwrap_or_default();
        assert_eq!(
            refused(&["--report", "pdf=x"]),
            "error: invalid value 'pdf=x' for '--report <FORMAT=PATH>': write html=PATH, markdown=PATH, junit=PATH, tap=PATH, json=PATH or otlp=PATH"
        );
        assert!(refused(&["--cleanup-timeout=-5s"]).contains("90s or 10m"));
        assert!(refused(&["--cleanup-timeout", "0s"]).contains("90s or 10m"));
        assert!(refused(&["--expect-account", "1234"]).contains("12 digits"));
        assert!(refused(&["--endpoint-url", "localhost:1"]).contains("http://127.0.0.1:4566"));
    }

    #[test]
    fn a_handler_keeps_its_arguments() {
        let parsed =
            Cli::try_parse_from(["playbook", "__handler", "python3", "-c", "x", "--color"]);
        let Ok(Command::Handler { arguments }) = parsed.map(|cli| cli.command) else {
            panic!("no handler")
        };
        assert_eq!(arguments, ["python3", "-c", "x", "--color"]);
    }

    #[test]
    fn a_named_run_and_all_runs_exclude_each_other() {
        assert!(Cli::try_parse_from(["playbook", "cleanup", "k3x9", "--all"]).is_err());
        assert!(Cli::try_parse_from(["playbook", "cleanup", "--all", "--dry-run"]).is_ok());
    }
}

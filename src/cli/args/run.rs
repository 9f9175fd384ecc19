//! The command line of `playbook run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::value::{account, duration, endpoint_url, filled, library, report};
use super::{CleanupWhen, LocalPace, ReportFile, ReportFormat};
use crate::cli::output::RunFormat;

/// `playbook run`.
#[derive(Debug, Clone, Args)]
#[command(after_help = RUN_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct RunArgs {
    /// Playbooks, or directories of them, run one after the other until one fails.
    #[arg(value_name = "FILE", required_unless_present = "resume")]
    pub files: Vec<PathBuf>,

    /// Run only playbooks with that tag; given more than once, with any of them.
    #[arg(long, help_heading = "Which", value_name = "TAG", value_delimiter = ',', value_parser = filled)]
    pub tags: Vec<String>,
    /// Run every playbook with each combination of the inputs, regions and profiles that a YAML file lists.
    #[arg(long, help_heading = "Which", value_name = "FILE")]
    pub matrix: Option<PathBuf>,
    /// Run so many at the same time.
    #[arg(long, help_heading = "Which", value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: u32,
    /// Begin the others, too, once one has failed.
    #[arg(long, help_heading = "Which")]
    pub keep_going: bool,

    /// Go on with a run that ended before its clean-up: what it has passed is not done again.
    #[arg(long, help_heading = "Which", value_name = "RUN", conflicts_with_all = ["tags", "matrix", "jobs", "dry_run"])]
    pub resume: Option<String>,
    /// Begin with that step, at the top of the playbook; with `--resume`, go back to it.
    #[arg(long, help_heading = "Which", value_name = "ID", value_parser = filled)]
    pub start_at: Option<String>,

    /// Run against an AWS inside this process; no account is needed.
    #[arg(long, help_heading = "Where", conflicts_with_all = ["profile", "endpoint_url", "expect_account"])]
    pub local: bool,
    /// Print every call, in order, and make none.
    #[arg(long, help_heading = "Where", conflicts_with = "expect_account")]
    pub dry_run: bool,
    /// The profile of the AWS configuration to use.
    #[arg(long, help_heading = "Where", value_name = "NAME", value_parser = filled)]
    pub profile: Option<String>,
    /// The region to use.
    #[arg(long, help_heading = "Where", value_parser = filled)]
    pub region: Option<String>,
    /// Send every call there, such as to `playbook serve`.
    #[arg(long, help_heading = "Where", value_name = "URL", value_parser = endpoint_url)]
    pub endpoint_url: Option<String>,
    /// The endpoint is an embedded AWS, whose inbox can be read: so `playbook chaos` runs a playbook.
    #[arg(long, hide = true, requires = "endpoint_url")]
    pub embedded: bool,
    /// Stop before the first step unless the account is this one.
    #[arg(long, help_heading = "Where", value_name = "ID", value_parser = account)]
    pub expect_account: Option<String>,
    /// Let steps attach policies that allow everything.
    #[arg(long, help_heading = "Where")]
    pub allow_admin: bool,
    /// Give up on one attempt of a call after that long; 60s unless given.
    #[arg(long, help_heading = "Where", value_name = "DURATION", value_parser = duration)]
    pub attempt_timeout: Option<Duration>,
    /// How long the embedded AWS takes for what takes AWS seconds.
    #[arg(
        long,
        help_heading = "Where",
        value_name = "PACE",
        default_value = "fast",
        requires = "local"
    )]
    pub local_pace: LocalPace,

    /// Give an input its value; never a secret.
    #[arg(long, help_heading = "Values", value_name = "NAME=VALUE")]
    pub input: Vec<String>,
    /// Read inputs from a YAML or JSON file.
    #[arg(long, help_heading = "Values", value_name = "FILE")]
    pub inputs: Option<PathBuf>,
    /// Override a variable of the playbook.
    #[arg(long, help_heading = "Values", value_name = "VAR=VALUE")]
    pub set: Vec<String>,
    /// Where the library is that playbooks include as `NAME:FILE`.
    #[arg(long, help_heading = "Values", value_name = "NAME=DIR", value_parser = library)]
    pub library: Vec<(String, PathBuf)>,
    /// Clean up without asking first.
    #[arg(long, short, help_heading = "Values")]
    pub yes: bool,
    /// Ask nothing, even at a terminal: defaults answer.
    #[arg(long, help_heading = "Values")]
    pub no_input: bool,

    /// Ask before each step: run it, skip it, show what it is given, run the rest, or stop.
    #[arg(long, help_heading = "Values", conflicts_with_all = ["no_input", "dry_run", "jobs"])]
    pub step: bool,
    /// Ask before the clean-up of a run that has failed, so that what it has made can be looked at.
    #[arg(long, help_heading = "Clean-up", conflicts_with_all = ["no_input", "dry_run", "cleanup"])]
    pub pause_on_failure: bool,

    /// When to remove what the run made.
    #[arg(long, help_heading = "Clean-up", value_name = "WHEN", default_value = "always")]
    pub cleanup: CleanupWhen,
    /// Keep what the run makes that long, counted from its start; `playbook cleanup --due` removes it then.
    #[arg(long, help_heading = "Clean-up", value_name = "DURATION", value_parser = duration, conflicts_with_all = ["cleanup", "local", "pause_on_failure"])]
    pub keep: Option<Duration>,
    /// Give up on removing a resource after that long, such as 90s or 10m.
    #[arg(long, help_heading = "Clean-up", value_name = "DURATION", value_parser = duration)]
    pub cleanup_timeout: Option<Duration>,

    /// How to tell what happens.
    #[arg(long, help_heading = "Output", value_name = "FORMAT", default_value = "human")]
    pub output: RunFormat,
    /// Also write a report, as often as wanted: `html=PATH`, `markdown=`, `junit=`, `tap=`, `json=` or `otlp=PATH`.
    #[arg(long, help_heading = "Output", value_name = "FORMAT=PATH", value_parser = report)]
    pub report: Vec<ReportFile>,
}

const RUN_EXAMPLES: &str = "\
Examples:
  playbook run playbooks/hello.yaml --local
  playbook run playbooks/hello.yaml --dry-run
  playbook run playbooks/hello.yaml --dry-run --output shell > hello.sh
  playbook run smoke.yaml --no-input --inputs ci.yaml --report junit=smoke.xml
  playbook run playbooks/ --tags smoke --jobs 4 --keep-going --report html=smoke.html
  playbook run --resume k3x9
  playbook run smoke.yaml --profile sandbox --expect-account 123456789012

An input that neither --input nor --inputs gives is read from PLAYBOOK_INPUT_<NAME>.";

impl RunArgs {
    /// Whether what answers is an embedded AWS that belongs to this run alone.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.local || self.embedded
    }

    /// Whether anybody wants to see the bodies of calls.
    #[must_use]
    pub fn looks(&self) -> bool {
        let looks = |format| matches!(format, ReportFormat::Json | ReportFormat::Html);
        let in_report = self.report.iter().any(|report| looks(report.format));
        self.dry_run || self.output == RunFormat::Json || in_report
    }
}

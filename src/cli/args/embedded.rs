//! The command lines of what is about the embedded AWS alone: `playbook chaos` and `playbook serve`.

use std::path::PathBuf;

use clap::Args;

use super::value::{filled, report};
use super::{LocalPace, OutputFormat, ReportFile};

/// `playbook chaos`.
#[derive(Debug, Args)]
#[command(after_help = CHAOS_EXAMPLES)]
pub struct ChaosArgs {
    /// The playbook; every run of it is against an embedded AWS.
    pub file: PathBuf,
    /// Make only that many trials, chosen by the seed.
    #[arg(long, value_name = "N")]
    pub sample: Option<usize>,
    /// What chance goes by; another each time unless given.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Give an input its value; never a secret.
    #[arg(long, value_name = "NAME=VALUE")]
    pub input: Vec<String>,
    /// Read inputs from a YAML or JSON file.
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
    /// Override a variable of the playbook.
    #[arg(long, value_name = "VAR=VALUE")]
    pub set: Vec<String>,
    /// Have somebody else's stack there before each run, for a playbook that takes one.
    #[arg(long, value_name = "NAME=TEMPLATE")]
    pub stack: Vec<String>,
    /// The region that the embedded AWS is.
    #[arg(long, value_parser = filled, default_value = "us-east-1")]
    pub region: String,
    /// How to tell what happens.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub output: OutputFormat,
    /// Also write a report, a trial as a step: `junit=PATH` or `json=PATH`.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = report)]
    pub report: Vec<ReportFile>,
}

const CHAOS_EXAMPLES: &str = "\
Examples:
  playbook chaos smoke.yaml
  playbook chaos smoke.yaml --sample 50 --seed 7 --report junit=chaos.xml
  playbook chaos smoke.yaml --stack theirs=stack.yaml --input stack=theirs

Exit codes:
  0        nothing was left behind, and nothing of anybody else's was touched
  1        something was, or the playbook does not pass undisturbed
  2        the playbook or the command line is wrong
  4        what was to be told could not be written; otherwise as 0
  129/130/143
           interrupted by SIGHUP, Ctrl-C or SIGTERM";

/// `playbook serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The port on 127.0.0.1; any free one when 0.
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The region to be; us-east-1 unless given.
    #[arg(long, value_parser = filled)]
    pub region: Option<String>,
    /// How long it takes for what takes AWS seconds.
    #[arg(long, value_name = "PACE", default_value = "fast")]
    pub local_pace: LocalPace,
    /// Answer only requests signed with a key pair that is made and shown at the start, or with a function's own.
    #[arg(long)]
    pub require_credentials: bool,
}

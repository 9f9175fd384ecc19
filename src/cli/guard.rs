//! What keeps a run from going where it should not, before its first change.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use etcetera::BaseStrategy;
use serde_json::{Value, json};

use super::args;
use super::disk::{Disk, reason};
use super::exit::Exit;
use super::output::Output;
use aws_model::regions;
use language::diagnostic::{Code, Diagnostic, SourceId, did_you_mean};
use language::playbook::{Action, Files, Playbook};
use language::template::{Template, TemplateKind};

/// The user's configuration file: `PLAYBOOK_CONFIG`, or `playbook/config.yaml` in the user's configuration directory.
#[derive(Debug, Default, PartialEq)]
struct Configuration {
    /// The only regions that runs may go to; any, where it is absent.
    regions: Option<Vec<String>>,
    /// The accounts that no run may go to.
    blocked_accounts: Vec<String>,
}

/// Why a configuration is refused, and what to write. A guard that guards nothing is worse than none.
type Unusable = (String, String);

const EXAMPLE: &str = "write `regions: [eu-central-1]` and `blocked_accounts: [\"123456789012\"]`";

impl Configuration {
    fn read(text: &str) -> Result<Self, Unusable> {
        let example = |message: String| (message, EXAMPLE.to_owned());
        let document = serde_yaml::from_str(text).map_err(|error| example(error.to_string()))?;
        let settings = match document {
            serde_yaml::Value::Null => return Ok(Self::default()),
            serde_yaml::Value::Mapping(settings) => settings,
            _ => return Err(example("there are no settings in it".to_owned())),
        };
        let mut configuration = Self::default();
        for (name, value) in settings {
            let name = name.as_str().unwrap_or_default().to_owned();
            let serde_yaml::Value::Sequence(values) = value else {
                return Err(example(match name.as_str() {
                    "regions" | "blocked_accounts" => format!("`{name}` is no list"),
                    _ => unknown_setting(&name),
                }));
            };
            match name.as_str() {
                "regions" => {
                    let regions = values.into_iter().map(known_region).collect::<Result<_, _>>()?;
                    configuration.regions = Some(regions);
                }
                "blocked_accounts" => {
                    configuration.blocked_accounts =
                        values.into_iter().map(account_id).collect::<Result<_, _>>()?;
                }
                _ => return Err(example(unknown_setting(&name))),
            }
        }
        Ok(configuration)
    }
}

fn unknown_setting(name: &str) -> String {
    format!("unknown field `{name}`, expected `regions` or `blocked_accounts`")
}

fn known_region(value: serde_yaml::Value) -> Result<String, Unusable> {
    match value {
        serde_yaml::Value::String(name) if regions::is_known(&name) => Ok(name),
        other => {
            let name = written(&other);
            let help = match did_you_mean(&name, regions::REGIONS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => EXAMPLE.to_owned(),
            };
            Err((format!("`regions`: there is no AWS region `{name}`"), help))
        }
    }
}

fn account_id(value: serde_yaml::Value) -> Result<String, Unusable> {
    match value {
        serde_yaml::Value::String(id) if args::is_account(&id) => Ok(id),
        other => {
            let help = "write the account's 12 digits in quotes, such as \"123456789012\"";
            let message = format!("`blocked_accounts`: `{}` is no account", written(&other));
            Err((message, help.to_owned()))
        }
    }
}

/// A value as somebody wrote it, more or less.
fn written(value: &serde_yaml::Value) -> String {
    serde_yaml::to_string(value).unwrap_or_default().trim_end().to_owned()
}

/// What the user's configuration rules out.
pub(super) struct Guards {
    path: PathBuf,
    configuration: Configuration,
}

impl Guards {
    fn refuse(&self, message: &str, called: &str, output: Output) -> Exit {
        let help = format!("nothing was {called}; {} says so", self.path.display());
        output.fail(message, Some(&help))
    }

    /// Refuses regions that are not among those that runs may go to.
    pub(super) fn check_region(&self, region: &str, output: Output) -> Result<(), Exit> {
        match &self.configuration.regions {
            Some(regions) if !regions.iter().any(|allowed| allowed == region) => {
                let message = match regions.as_slice() {
                    [] => format!("runs may not go to {region}, nor to any other region"),
                    _ => format!("runs may not go to {region}, only to {}", regions.join(", ")),
                };
                Err(self.refuse(&message, "called", output))
            }
            _ => Ok(()),
        }
    }

    /// Refuses accounts that no run may go to. Asking which account it is was a call, but changed nothing.
    pub(super) fn check_account(&self, account: &str, output: Output) -> Result<(), Exit> {
        if !self.configuration.blocked_accounts.iter().any(|blocked| blocked == account) {
            return Ok(());
        }
        Err(self.refuse(&format!("runs may not go to account {account}"), "changed", output))
    }
}

/// Reads the user's configuration, where there is one.
pub(super) fn configured(output: Output) -> Result<Option<Guards>, Exit> {
    let named = std::env::var_os("PLAYBOOK_CONFIG").filter(|value| !value.is_empty());
    let path = match &named {
        Some(path) => PathBuf::from(path),
        None => match etcetera::choose_base_strategy() {
            Ok(strategy) => strategy.config_dir().join("playbook").join("config.yaml"),
            Err(_) => return Ok(None),
        },
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        // Guards that were named and are not there must not be taken for no guards.
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => return Ok(None),
        Err(error) => {
            let message = format!("{}: {}", path.display(), reason(&error));
            return Err(output.fail(&message, Some("fix it, or unset PLAYBOOK_CONFIG")));
        }
    };
    match Configuration::read(&text) {
        Ok(configuration) => Ok(Some(Guards { path, configuration })),
        Err((message, help)) => {
            Err(output.fail(&format!("{}: {message}", path.display()), Some(&help)))
        }
    }
}

/// Refuses credentials that end before the run is likely to.
pub(super) fn check_expiry(
    playbook: &Playbook,
    expires: Option<SystemTime>,
    output: Output,
) -> Result<(), Exit> {
    let Some(left) = expires.map(|end| end.duration_since(SystemTime::now()).unwrap_or_default())
    else {
        return Ok(());
    };
    let needed = playbook.estimate();
    if left >= needed {
        return Ok(());
    }
    let message = format!(
        "these credentials end in {} min, and the run may take {} min, clean-up included",
        left.as_secs() / 60,
        needed.as_secs().div_ceil(60),
    );
    Err(output.fail(&message, Some("sign in again, so that the clean-up can still be done")))
}

/// Policies that let whoever has them do anything, in steps and in the templates that they name.
pub(super) fn administrator_policies(playbook: &Playbook) -> Vec<Diagnostic> {
    let mut faults = playbook.administrators(&allows_everything);
    let directories = directories(playbook);
    playbook.walk(&mut |step| {
        if let Action::Kind { input, .. } = &step.action
            && let Some(directory) = directories.get(&step.span.source)
        {
            faults.extend(administrators_of_template(input, directory));
        }
    });
    faults
}

/// The directories that files named in a playbook, and in those that it includes, are relative to.
fn directories(playbook: &Playbook) -> HashMap<SourceId, PathBuf> {
    let of = |playbook: &Playbook| {
        playbook.steps.first().map(|step| (step.span.source, playbook.directory.clone()))
    };
    let mut directories: HashMap<_, _> = of(playbook).into_iter().collect();
    playbook.walk(&mut |step| {
        if let Action::Include { playbook, .. } = &step.action {
            directories.extend(of(playbook));
        }
    });
    directories
}

/// The template of a stack is looked at as well as can be done before the run; the step looks again.
fn administrators_of_template(input: &Template, directory: &Path) -> Option<Diagnostic> {
    let named = input.get("template")?;
    let file = named.literal()?;
    let text = Disk::default().read(&directory.join(file.as_str()?)).ok()?;
    let parameters = match input.get("parameters").map(Template::kind) {
        Some(TemplateKind::Mapping(entries)) => {
            entries.iter().map(|entry| (entry.key.name.clone(), argument(&entry.value))).collect()
        }
        _ => BTreeMap::new(),
    };
    let administrators = ::steps::policy::administrators_of(&text, &parameters);
    let name = administrators.first()?;
    Some(
        Diagnostic::new(
            Code::AdministratorPolicy,
            format!("this template has a policy that allows everything: see {name}"),
        )
        .at(named.span())
        .label("whoever has it could do anything in the account")
        .help("name policies that allow what is needed, or run with --allow-admin"),
    )
}

/// What is given to a parameter of a template; nothing where only the run will know.
fn argument(given: &Template) -> String {
    match given.literal() {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        }
        _ => String::new(),
    }
}

/// Whether this is the ARN of such a policy, a document as text, or a statement.
fn allows_everything(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let document = serde_json::from_str::<Value>(text);
            ::steps::policy::is_administrator_policy(text)
                || document.is_ok_and(|document| ::steps::policy::allows_everything(&document))
        }
        statement @ Value::Object(_) => {
            ::steps::policy::allows_everything(&json!({ "Statement": statement }))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let (message, help) = Configuration::read(text).expect_err(text);
        format!("{message}\n{help}")
    }

    #[test]
    fn what_is_well_formed_is_read() {
        let text = "regions: [eu-central-1, us-east-1]\nblocked_accounts: ['012345678901']\n";
        let expected = Configuration {
            regions: Some(vec!["eu-central-1".to_owned(), "us-east-1".to_owned()]),
            blocked_accounts: vec!["012345678901".to_owned()],
        };
        assert_eq!(Configuration::read(text), Ok(expected));
        for nothing in ["", "# nothing\n", "{}"] {
            assert_eq!(Configuration::read(nothing), Ok(Configuration::default()), "{nothing:?}");
        }
        let none = Configuration::read("regions: []").map(|read| read.regions);
        assert_eq!(none, Ok(Some(Vec::new())));
    }

    #[test]
    fn a_guard_that_would_guard_nothing_is_refused() {
        let digits = "write the account's 12 digits in quotes, such as \"123456789012\"";
        for account in ["12", "123456789012", "12345678901x", "''", "[a]", "null", "true"] {
            let shown = account.trim_matches('[').trim_matches(']');
            let said = refused(&format!("blocked_accounts: [{account}]\n"));
            let first = said.lines().next().unwrap_or_default();
            assert!(first.starts_with("`blocked_accounts`: `"), "{shown}: {said}");
            assert!(said.ends_with(digits), "{said}");
        }
        assert_eq!(
            refused("blocked_accounts: [12]"),
            format!("`blocked_accounts`: `12` is no account\n{digits}")
        );
        assert_eq!(
            refused("regions: [eu-centrl-1]"),
            "`regions`: there is no AWS region `eu-centrl-1`\ndid you mean `eu-central-1`?"
        );
        assert_eq!(
            refused("regions: [7]"),
            format!("`regions`: there is no AWS region `7`\n{EXAMPLE}")
        );
    }

    #[test]
    fn what_holds_no_settings_is_refused() {
        assert_eq!(refused("- a"), format!("there are no settings in it\n{EXAMPLE}"));
        assert_eq!(refused("regions"), format!("there are no settings in it\n{EXAMPLE}"));
        assert_eq!(refused("regions:"), format!("`regions` is no list\n{EXAMPLE}"));
        assert_eq!(
            refused("region: us-east-1"),
            format!("unknown field `region`, expected `regions` or `blocked_accounts`\n{EXAMPLE}")
        );
    }
}

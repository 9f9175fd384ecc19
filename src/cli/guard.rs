//! What keeps a run from going where it should not, before its first change.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use etcetera::BaseStrategy;
use serde::Deserialize;

use super::exit::Exit;
use super::output::Output;
use crate::diagnostic::{Code, Diagnostic};
use crate::playbook::{Action, Playbook};
use crate::template::{Template, TemplateKind};

/// How long a step that talks to AWS is thought to take.
const STEP: Duration = Duration::from_secs(15);

/// The user's configuration file: `PLAYBOOK_CONFIG`, or `playbook/config.yaml` in the user's configuration directory.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    /// The only regions that runs may go to; any, where it is absent.
    regions: Option<Vec<String>>,
    /// The accounts that no run may go to.
    #[serde(default)]
    blocked_accounts: Vec<String>,
}

/// Refuses regions and accounts that the user's configuration rules out.
pub(super) fn check_target(
    region: &str,
    account: Option<&str>,
    output: Output,
) -> Result<(), Exit> {
    let Some((path, configuration)) = configuration(output)? else { return Ok(()) };
    let help = format!("nothing was changed; {} says so", path.display());
    if let Some(regions) = &configuration.regions
        && !regions.iter().any(|allowed| allowed == region)
    {
        let message = format!("runs may not go to {region}, only to {}", regions.join(", "));
        return Err(output.fail(&message, Some(&help)));
    }
    match account {
        Some(account)
            if configuration.blocked_accounts.iter().any(|blocked| blocked == account) =>
        {
            Err(output.fail(&format!("runs may not go to account {account}"), Some(&help)))
        }
        _ => Ok(()),
    }
}

fn configuration(output: Output) -> Result<Option<(PathBuf, Configuration)>, Exit> {
    let path = match std::env::var_os("PLAYBOOK_CONFIG").filter(|value| !value.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => match etcetera::choose_base_strategy() {
            Ok(strategy) => strategy.config_dir().join("playbook").join("config.yaml"),
            Err(_) => return Ok(None),
        },
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(
                output.fail(&format!("{}: {error}", path.display()), Some("mend it, or remove it"))
            );
        }
    };
    match serde_yaml::from_str(&text) {
        Ok(configuration) => Ok(Some((path, configuration))),
        Err(error) => {
            let help = "write `regions: [eu-central-1]` and `blocked_accounts: [\"123456789012\"]`";
            Err(output.fail(&format!("{}: {error}", path.display()), Some(help)))
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
    let needed = estimate(playbook);
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

/// What a run and its clean-up may take, people's answers aside.
fn estimate(playbook: &Playbook) -> Duration {
    let mut estimate = Duration::ZERO;
    playbook.walk(&mut |step| {
        if let Action::Kind { spec, .. } = &step.action
            && !spec.calls.is_empty()
        {
            estimate += step.timeout.unwrap_or(STEP);
            estimate += step.poll.as_ref().map_or(Duration::ZERO, |poll| poll.timeout);
        }
    });
    estimate
}

/// Policies that let whoever has them do anything.
pub(super) fn administrator_policies(playbook: &Playbook) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    playbook.walk(&mut |step| {
        if let Action::Kind { input, .. } = &step.action {
            look_for_administrator(input, &mut faults);
        }
    });
    faults
}

fn look_for_administrator(template: &Template, faults: &mut Vec<Diagnostic>) {
    match template.kind() {
        TemplateKind::Literal => {
            let text = template.literal();
            let text = text.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
            if crate::aws::is_administrator_policy(text) {
                faults.push(
                    Diagnostic::new(Code::AdministratorPolicy, "this policy allows everything")
                        .at(template.span())
                        .label("a function with this role could do anything in the account")
                        .help(
                            "name a policy that allows what is needed, or run with --allow-admin",
                        ),
                );
            }
        }
        TemplateKind::Sequence(items) => {
            for item in items {
                look_for_administrator(item, faults);
            }
        }
        TemplateKind::Mapping(entries) => {
            for entry in entries {
                look_for_administrator(&entry.value, faults);
            }
        }
        TemplateKind::Expression(_) | TemplateKind::Text(_) => {}
    }
}

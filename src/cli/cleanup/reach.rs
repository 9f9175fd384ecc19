//! The way to where a run was, and only there.

use crate::cli::args::CleanupArgs;
use crate::cli::connect_help::connect_help;
use crate::cli::target::{backoff, identify};
use aws::{
    ConnectError, Connected, Connection, Credentials, Endpoint, configured_endpoint, connect,
    has_profile,
};
use engine::journal::Opened;

/// Why a run cannot be cleaned up from here.
pub(super) struct Unreachable {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// The client to where the run was. The journal says where that is; settings that say another place are taken for a mistake
/// of one of the two.
pub(super) async fn reach(args: &CleanupArgs, opened: &Opened) -> Result<Connected, Unreachable> {
    let target = &opened.target;
    let profile = profile(args, opened).await;
    let endpoint = match (args.dry_run, &target.endpoint) {
        (true, _) => Endpoint::Nowhere,
        (false, Some(url)) => Endpoint::Url(url.clone()),
        (false, None) => Endpoint::Aws,
    };
    if !args.dry_run {
        same_region(args, opened)?;
        same_endpoint(args, opened, profile.as_deref()).await?;
    }
    let backoff = backoff(args.attempt_timeout, &endpoint);
    let connection = Connection {
        credentials: if args.dry_run { Credentials::Made } else { Credentials::Configured },
        endpoint,
        profile,
        region: Some(target.region.clone()),
        capture_bodies: true,
        backoff,
    };
    let failed = |error: &ConnectError| Unreachable {
        message: cannot(opened, &error.to_string()),
        help: Some(connect_help(error, false)),
    };
    let connected = connect(&connection).await.map_err(|error| failed(&error))?;
    if args.dry_run {
        return Ok(connected);
    }
    let found = identify(&connected.aws).await.map_err(|error| Unreachable {
        message: cannot(opened, &error.to_string()),
        help: error.help().map(|help| help.replace(", or try it with no AWS account: --local", "")),
    })?;
    match found {
        Some(account) if account == target.account => Ok(connected),
        account => Err(Unreachable {
            message: format!(
                "run {} was in account {}, these credentials are for {}",
                opened.run,
                target.account,
                account.as_deref().unwrap_or("none"),
            ),
            help: Some(
                "nothing was deleted; choose the right credentials with --profile".to_owned(),
            ),
        }),
    }
}

fn cannot(opened: &Opened, reason: &str) -> String {
    format!("run {} cannot be cleaned up: {reason}", opened.run)
}

/// The profile that is named, or else the run's own, as long as there is one of that name.
async fn profile(args: &CleanupArgs, opened: &Opened) -> Option<String> {
    match (&args.profile, &opened.profile) {
        (Some(named), _) => Some(named.clone()),
        (None, Some(own)) if has_profile(own).await => Some(own.clone()),
        _ => None,
    }
}

/// The region is a statement where an option or the environment names one; a profile's is a default for commands that
/// have none of their own.
fn same_region(args: &CleanupArgs, opened: &Opened) -> Result<(), Unreachable> {
    let of = |name: &'static str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        value.map(|value| (name, value))
    };
    let named = args.region.clone().map(|region| ("--region", region));
    let said = named.or_else(|| of("AWS_REGION")).or_else(|| of("AWS_DEFAULT_REGION"));
    let Opened { run, target, .. } = opened;
    match said {
        Some((setting, region)) if region != target.region => Err(Unreachable {
            message: format!("run {run} was in {}, {setting} says {region}", target.region),
            help: Some(format!(
                "nothing was deleted; to clean up where the run was, add --region {}",
                target.region
            )),
        }),
        _ => Ok(()),
    }
}

async fn same_endpoint(
    args: &CleanupArgs,
    opened: &Opened,
    profile: Option<&str>,
) -> Result<(), Unreachable> {
    let said = match &args.endpoint_url {
        Some(url) => Some(("--endpoint-url".to_owned(), url.clone())),
        None => {
            let found = configured_endpoint(profile).await.map_err(|error| Unreachable {
                message: cannot(opened, &error.to_string()),
                help: Some(connect_help(&error, false)),
            })?;
            found.map(|found| (found.setting, found.url))
        }
    };
    let run = &opened.run;
    let bare = |url: &str| url.trim_end_matches('/').to_owned();
    match (said, &opened.target.endpoint) {
        (Some((setting, url)), Some(own)) if bare(&url) != bare(own) => Err(Unreachable {
            message: format!("run {run} was at {own}, {setting} says {url}"),
            help: Some(format!(
                "nothing was deleted; to clean up where the run was, add --endpoint-url {own}"
            )),
        }),
        (Some((setting, url)), None) => Err(Unreachable {
            message: format!("run {run} was at AWS itself, {setting} says {url}"),
            help: Some(
                "nothing was deleted; to clean up at AWS, leave out --endpoint-url and set \
                 AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"
                    .to_owned(),
            ),
        }),
        _ => Ok(()),
    }
}

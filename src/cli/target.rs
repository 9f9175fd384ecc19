//! Where a run's calls go: AWS, an endpoint, the embedded AWS, nowhere.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;

use super::args::RunArgs;
use super::connect_help::connect_help;
use super::exit::Exit;
use super::output::Output;
use aws::{
    Aws, CallError, CallTimeouts, ConnectError, Connected, Connection, Credentials, Endpoint,
    configured_endpoint, connect,
};
#[cfg(feature = "local")]
use engine::event::Mail;
use engine::event::{Call, Mode};
use engine::run::Inbox;

/// The account of the embedded AWS: no account of AWS's has this number.
#[cfg(feature = "local")]
pub(super) const LOCAL_ACCOUNT: &str = "000000000000";

/// How calls are carried out.
pub(super) fn mode(args: &RunArgs) -> Mode {
    match (args.dry_run, args.local) {
        (true, _) => Mode::DryRun,
        (false, true) => Mode::Local,
        (false, false) => Mode::Live,
    }
}

/// How long calls are given: as long as the command line says. A server on this machine need not be spared.
pub(super) fn backoff(attempt: Option<Duration>, endpoint: &Endpoint) -> CallTimeouts {
    let usual = CallTimeouts::default();
    let is_near = matches!(endpoint, Endpoint::Url(url) if is_loopback(url));
    CallTimeouts {
        attempt: attempt.unwrap_or(usual.attempt),
        backoff: if is_near { Duration::from_millis(20) } else { usual.backoff },
    }
}

/// The embedded AWS of a run, which ends with this value.
#[derive(Debug, Default)]
pub(super) struct Local {
    #[cfg(feature = "local")]
    aws: Option<local_aws::LocalAws>,
    /// What its calls are signed with: nobody else on this machine may have it run code.
    #[cfg(feature = "local")]
    keys: Option<local_aws::KeyPair>,
}

impl Local {
    /// The messages that the embedded AWS would have sent.
    #[cfg(feature = "local")]
    pub(super) fn inbox(&self) -> Option<Inbox> {
        let account = self.aws.as_ref()?.account().clone();
        Some(Arc::new(move || {
            let state = account.state::<local_aws::cognito::State>();
            let messages = state.inbox.iter();
            let mails = messages.map(|message| Mail {
                to: message.to.clone(),
                subject: message.subject.clone(),
                body: message.body.clone(),
                code: message.code.clone(),
            });
            let mails: Vec<Mail> = mails.collect();
            Box::pin(std::future::ready(Some(mails)))
        }))
    }

    /// There is no embedded AWS.
    #[cfg(not(feature = "local"))]
    pub(super) fn inbox(&self) -> Option<Inbox> {
        None
    }

    /// Who calls it.
    #[cfg(feature = "local")]
    fn credentials(&self) -> Credentials {
        self.keys.as_ref().map_or(Credentials::Made, |keys| {
            Credentials::given(&keys.access_key_id, &keys.secret_access_key)
        })
    }

    /// There is no embedded AWS.
    #[cfg(not(feature = "local"))]
    fn credentials(&self) -> Credentials {
        Credentials::Made
    }

    /// Ends the embedded AWS and every handler process of it.
    pub(super) async fn shutdown(self) {
        #[cfg(feature = "local")]
        if let Some(aws) = self.aws {
            aws.shutdown().await;
        }
    }
}

/// A client, and what is behind it.
pub(super) struct Reached {
    pub(super) connected: Connected,
    pub(super) local: Local,
    pub(super) endpoint: Option<String>,
}

/// Finds the way to where the calls are to go.
pub(super) async fn reach(args: &RunArgs, mode: Mode, output: &Output) -> Result<Reached, Exit> {
    let unreachable =
        |error: ConnectError| output.fail(&error.to_string(), Some(&connect_help(&error, true)));
    let (local, endpoint) = match (mode, &args.endpoint_url) {
        (Mode::DryRun, _) => (Local::default(), Endpoint::Nowhere),
        (Mode::Local, _) => start(args, output).await?,
        (Mode::Live, Some(url)) => (Local::default(), Endpoint::Url(url.clone())),
        (Mode::Live, None) => {
            let found = configured_endpoint(args.profile.as_deref()).await.map_err(unreachable)?;
            (Local::default(), found.map_or(Endpoint::Aws, |found| Endpoint::Url(found.url)))
        }
    };
    let credentials = match mode {
        Mode::Live => Credentials::Configured,
        Mode::Local | Mode::DryRun => local.credentials(),
    };
    let default_region = (mode == Mode::Local).then(|| "us-east-1".to_owned());
    let connection = Connection {
        endpoint: endpoint.clone(),
        credentials,
        profile: args.profile.clone(),
        region: args.region.clone().or(default_region),
        capture_bodies: args.looks(),
        backoff: backoff(args.attempt_timeout, &endpoint),
    };
    let mut connected = connect(&connection).await.map_err(unreachable)?;
    if std::env::var_os(aws::MORTAL).is_some() {
        connected.aws = connected.aws.mortal();
    }
    let endpoint = match endpoint {
        Endpoint::Url(url) if mode == Mode::Live => Some(url),
        _ => None,
    };
    Ok(Reached { connected, local, endpoint })
}

#[cfg(feature = "local")]
async fn start(args: &RunArgs, output: &Output) -> Result<(Local, Endpoint), Exit> {
    use local_aws::{KeyPair, LocalAws, LocalOptions};
    let keys = KeyPair::random();
    let options = LocalOptions {
        port: 0,
        latency: args.local_pace.into(),
        region: args.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
        account_id: LOCAL_ACCOUNT.to_owned(),
        launcher: super::serve::launcher(),
        required: Some(keys.clone()),
    };
    let aws = LocalAws::start(options)
        .await
        .map_err(|error| output.fail(&format!("the embedded AWS does not start: {error}"), None))?;
    let endpoint = Endpoint::Url(aws.endpoint_url().to_owned());
    Ok((Local { aws: Some(aws), keys: Some(keys) }, endpoint))
}

#[cfg(not(feature = "local"))]
async fn start(_args: &RunArgs, output: &Output) -> Result<(Local, Endpoint), Exit> {
    let message = "this playbook was built without the embedded AWS";
    Err(output.fail(message, Some("build it with the feature `local`")))
}

/// Asks which account this is, before anything is made in it. Returns the call as well, for the record.
pub(super) async fn account(
    args: &RunArgs,
    connected: &Connected,
    output: &Output,
) -> Result<(Option<String>, Vec<Call>), Exit> {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let observer = {
        let calls = Arc::clone(&calls);
        Arc::new(move |call| calls.lock().unwrap_or_else(PoisonError::into_inner).push(call))
    };
    let found = identify(&connected.aws.observed_by(observer))
        .await
        .map_err(|error| output.fail(&error.to_string(), error.help()))?;
    match (&args.expect_account, &found) {
        (Some(expected), Some(found)) if expected != found => {
            let message = format!("these credentials are for account {found}, not {expected}");
            return Err(output.fail(&message, Some("choose other credentials with --profile")));
        }
        (_, None) if !args.dry_run => return Err(nameless(*output)),
        _ => {}
    }
    let calls = std::mem::take(&mut *calls.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((found, calls))
}

/// Whoever does not know which account a run was in cannot clean up after it.
fn nameless(output: Output) -> Exit {
    let message = "the answer to GetCallerIdentity names no account";
    let help = "nothing was changed; look at what --endpoint-url or AWS_ENDPOINT_URL leads to";
    output.fail(message, Some(help))
}

/// Whose credentials these are.
pub(super) async fn identify(aws: &Aws) -> Result<Option<String>, CallError> {
    let request = aws.sts().get_caller_identity().send();
    let output = aws.call(request, || Ok(GetCallerIdentityOutput::builder().build())).await?;
    Ok(output.account)
}

/// Whether a URL leads to this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or(host);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => host.split(':').next().unwrap_or(host),
    };
    let address: Option<std::net::IpAddr> = host.parse().ok();
    host.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn this_machine_is_told_from_others() {
        for url in
            ["http://127.0.0.1:4566", "http://localhost/x", "https://[::1]:1", "http://LOCALHOST"]
        {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://127.0.0.1.example.com",
            "https://lambda.us-east-1.amazonaws.com",
            "http://10.0.0.1",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}

//! `playbook serve`, and the processes that the embedded AWS starts.

use std::ffi::OsString;

use super::args::ServeArgs;
use super::exit::Exit;
use super::output::Output;
use super::signals::Wishes;
use super::target::LOCAL_ACCOUNT;
use local_aws::{KeyPair, LocalAws, LocalOptions};

/// Serves until it is told to stop.
pub(super) async fn serve(args: &ServeArgs, output: &Output) -> Exit {
    let wishes = Wishes::none();
    if let Err(error) = wishes.listen() {
        return output.fail(&error.to_string(), None);
    }
    let region = args.region.clone().unwrap_or_else(|| "us-east-1".to_owned());
    let required = args.require_credentials.then(KeyPair::random);
    let options = LocalOptions {
        port: args.port,
        latency: args.local_pace.into(),
        region: region.clone(),
        account_id: LOCAL_ACCOUNT.to_owned(),
        launcher: launcher(),
        required: required.clone(),
    };
    let aws = match LocalAws::start(options).await {
        Ok(aws) => aws,
        Err(error) => {
            let message = format!("port {} cannot be used: {error}", args.port);
            return output
                .fail(&message, Some("choose another with --port, or any free one with --port 0"));
        }
    };
    let told = output.result(&introduction(aws.endpoint_url(), &region, required.as_ref()));
    wishes.interrupt().wait().await;
    aws.shutdown().await;
    told
}

fn introduction(endpoint: &str, region: &str, required: Option<&KeyPair>) -> String {
    let (key, secret) = required.map_or(("local", "local"), |pair| {
        (pair.access_key_id.as_str(), pair.secret_access_key.as_str())
    });
    format!(
        "The embedded AWS answers at {endpoint} until Ctrl-C. For the AWS CLI and boto3:\n\n\
         export AWS_ENDPOINT_URL={endpoint}\n\
         export AWS_REGION={region}\n\
         export AWS_DEFAULT_REGION={region}\n\
         export AWS_ACCESS_KEY_ID={key}\n\
         export AWS_SECRET_ACCESS_KEY={secret}\n"
    )
}

/// The command that handler processes are started with: this program, which sees to it that they die with it.
pub(super) fn launcher() -> Vec<OsString> {
    let own = std::env::current_exe().unwrap_or_else(|_| "playbook".into());
    vec![own.into_os_string(), "__handler".into()]
}

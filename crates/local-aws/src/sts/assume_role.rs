//! `AssumeRole`: credentials of a role, also of one in another account.

use std::time::Duration;

use super::sessions::{State, account_of_arn};
use super::{Identity, caller};
use crate::account::Account;
use crate::http::Request;
use crate::iam::{self, NotAssumable};
use crate::protocol::query::Params;
use crate::protocol::timestamp::iso8601;
use crate::protocol::xml::Element;
use crate::protocol::{AwsError, Constraints};

const VALIDATION: &str = "ValidationError";
const DEFAULT_SECONDS: i64 = 3600;
/// How long credentials of a role can be for whoever has only credentials of a role themselves.
const CHAINED_SECONDS: i64 = 3600;
const NAME_PATTERN: &str = r"[\w+=,.@-]*";
/// What would have an effect that there is not here.
const REFUSED: [&str; 7] = [
    "Policy",
    "PolicyArns.member.1.arn",
    "ProvidedContexts.member.1.ProviderArn",
    "SerialNumber",
    "SourceIdentity",
    "Tags.member.1.Key",
    "TokenCode",
];

/// Hands out credentials, where the role's trust policy lets the caller in.
pub(super) fn assume_role(
    account: &Account,
    request: &Request,
    params: &Params,
) -> Result<Element, AwsError> {
    let (role_arn, name, seconds) = read(params)?;
    let identity = caller(account, request);
    let denied = || {
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            identity.arn
        );
        AwsError::new(403, "AccessDenied", message)
    };
    let owner = account.at(account_of_arn(role_arn).ok_or_else(denied)?, &account.region);
    let (now, latency) = (owner.now(), owner.latency());
    let longest = {
        let iam = owner.state::<iam::State>();
        let caller = principal(&identity, account, params.get("ExternalId"));
        match iam.assumable_by(role_arn, &caller, now, latency) {
            Ok(longest) => i64::from(longest),
            Err(NotAssumable::NoSuchRole | NotAssumable::TooNew | NotAssumable::NotTrusted) => {
                return Err(denied());
            }
        }
    };
    check_duration(seconds, longest, &identity)?;
    let lifetime = Duration::from_secs(seconds.unsigned_abs());
    let expires = now + lifetime;
    let keys = owner.state::<State>().open_session(role_arn, name, Some(expires));
    let assumed = owner.state::<State>().identity(
        &keys.access_key_id,
        &owner.id,
        &owner.state::<iam::State>(),
    );
    Ok(Element::new("AssumeRoleResult")
        .child(
            Element::new("Credentials")
                .text("AccessKeyId", keys.access_key_id)
                .text("SecretAccessKey", keys.secret_access_key)
                .text("SessionToken", keys.session_token)
                .text("Expiration", iso8601(expires)),
        )
        .child(
            Element::new("AssumedRoleUser")
                .text("AssumedRoleId", assumed.user_id)
                .text("Arn", assumed.arn),
        ))
}

fn read(params: &Params) -> Result<(&str, &str, i64), AwsError> {
    if let Some(name) = REFUSED.into_iter().find(|name| params.get(name).is_some()) {
        let name = name.split('.').next().unwrap_or(name);
        let message = format!(
            "The local AWS of playbook does not support {name} of AssumeRole. Leave it out, or use a real account."
        );
        return Err(AwsError::bad_request(VALIDATION, message));
    }
    let (role_arn, name) = (params.get("RoleArn"), params.get("RoleSessionName"));
    Constraints::new()
        .present("roleArn", role_arn.is_some())
        .present("roleSessionName", name.is_some())
        .check(VALIDATION)?;
    let (role_arn, name) = (role_arn.unwrap_or_default(), name.unwrap_or_default());
    let is_plain = name.chars().all(|one| one.is_ascii_alphanumeric() || "_+=,.@-".contains(one));
    let seconds = params.get("DurationSeconds").map_or(Ok(DEFAULT_SECONDS), str::parse);
    let seconds = seconds
        .map_err(|_| AwsError::bad_request("MalformedInput", "DurationSeconds is not a number"))?;
    Constraints::new()
        .length("roleArn", role_arn, 20, 2048)
        .length("roleSessionName", name, 2, 64)
        .pattern("roleSessionName", name, NAME_PATTERN, is_plain)
        .range("durationSeconds", seconds, 900, 43_200)
        .check(VALIDATION)?;
    if !role_arn.starts_with("arn:") || role_arn.split(':').count() < 6 {
        let message = format!("{role_arn} is invalid");
        return Err(AwsError::bad_request(VALIDATION, message));
    }
    Ok((role_arn, name, seconds))
}

fn principal(
    identity: &Identity,
    account: &Account,
    external_id: Option<&str>,
) -> iam::AccountPrincipal {
    let names = [
        Some(identity.arn.clone()),
        identity.role_arn.clone(),
        Some(format!("arn:aws:iam::{}:root", account.id)),
        Some(account.id.clone()),
        Some("*".to_owned()),
    ];
    iam::AccountPrincipal {
        names: names.into_iter().flatten().collect(),
        external_id: external_id.map(str::to_owned),
    }
}

fn check_duration(seconds: i64, longest: i64, identity: &Identity) -> Result<(), AwsError> {
    let refused = |message: &str| Err(AwsError::bad_request(VALIDATION, message));
    if identity.role_arn.is_some() && seconds > CHAINED_SECONDS {
        return refused(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        );
    }
    if seconds > longest {
        return refused(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        );
    }
    Ok(())
}

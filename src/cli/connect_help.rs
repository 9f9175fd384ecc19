//! What to do when nothing leads to AWS.

use aws::ConnectError;
use aws_model::regions;
use language::diagnostic::did_you_mean;

const CONFIGURATION: &str = "look at ~/.aws/credentials and ~/.aws/config (or where AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE lead)";

/// What to do next. `local`: whether it can be tried with no AWS account.
pub(super) fn connect_help(error: &ConnectError, local: bool) -> String {
    match error {
            ConnectError::NoRegion if local => {
                "name one with --region or AWS_REGION, or try it with no AWS account: --local"
                    .to_owned()
            }
            ConnectError::NoRegion => "name one with --region or AWS_REGION".to_owned(),
            ConnectError::UnknownRegion { region } => {
                match did_you_mean(region, regions::REGIONS) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => "name one such as `us-east-1` or `eu-central-1`".to_owned(),
                }
            }
            ConnectError::UnknownProfile { profile, known } => other_profiles(profile, known),
            ConnectError::ServiceEndpoint { .. } => {
                "send all calls there with --endpoint-url or AWS_ENDPOINT_URL, or none: AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"
                    .to_owned()
            }
            ConnectError::NoUrl { .. } => "write a URL such as http://127.0.0.1:4566".to_owned(),
            ConnectError::Configuration { .. } => CONFIGURATION.to_owned(),
            ConnectError::Credentials { reason } if reason.contains("rofile") => CONFIGURATION.to_owned(),
            ConnectError::Credentials { .. } if local => {
                "run `aws configure` or `aws sso login`, choose others with --profile, or try it with no AWS account: --local"
                    .to_owned()
            }
            ConnectError::Credentials { .. } => {
                "run `aws configure` or `aws sso login`, or choose others with --profile".to_owned()
            }
        }
}

fn other_profiles(profile: &str, known: &[String]) -> String {
    if known.is_empty() {
        return "no profile is configured: `aws configure --profile NAME` makes one".to_owned();
    }
    let near = did_you_mean(profile, known.iter().map(String::as_str));
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    format!("{near}configured are: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(profile: &str, known: &[&str]) -> String {
        let known = known.iter().map(|name| (*name).to_owned()).collect();
        let error = ConnectError::UnknownProfile { profile: profile.to_owned(), known };
        assert_eq!(error.to_string(), format!("there is no profile `{profile}`"));
        connect_help(&error, true)
    }

    #[test]
    fn an_unknown_profile_names_those_there_are() {
        assert_eq!(
            unknown("sandbx", &["default", "sandbox"]),
            "did you mean `sandbox`? configured are: `default`, `sandbox`"
        );
        assert_eq!(unknown("nope", &["default"]), "configured are: `default`");
        assert_eq!(
            unknown("nope", &[]),
            "no profile is configured: `aws configure --profile NAME` makes one"
        );
    }

    #[test]
    fn a_clean_up_cannot_be_tried_without_an_account() {
        let none = ConnectError::Credentials { reason: "there are none".to_owned() };
        assert!(connect_help(&none, true).ends_with("--local"), "{}", connect_help(&none, true));
        assert_eq!(
            connect_help(&none, false),
            "run `aws configure` or `aws sso login`, or choose others with --profile"
        );
        assert_eq!(
            connect_help(&ConnectError::NoRegion, false),
            "name one with --region or AWS_REGION"
        );
    }

    #[test]
    fn an_endpoint_that_cannot_be_used_says_how_to_name_one() {
        let setting = || "AWS_ENDPOINT_URL_LAMBDA".to_owned();
        let url = || "http://a".to_owned();
        let one =
            ConnectError::ServiceEndpoint { service: "Lambda", url: url(), setting: setting() };
        assert_eq!(
            connect_help(&one, true),
            "send all calls there with --endpoint-url or AWS_ENDPOINT_URL, or none: \
             AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"
        );
        let none = ConnectError::NoUrl { url: url(), setting: setting() };
        assert_eq!(connect_help(&none, true), "write a URL such as http://127.0.0.1:4566");
    }
}

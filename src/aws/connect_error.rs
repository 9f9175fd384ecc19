//! Why there is no door to AWS, and what to do.

/// Why there is no door. Nothing has been called.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No region anywhere.
    #[error("no region is configured")]
    NoRegion,
    /// A region that AWS does not have.
    #[error("there is no AWS region `{region}`")]
    UnknownRegion {
        /// As given.
        region: String,
        /// The nearest that exists.
        nearest: Option<&'static str>,
    },
    /// A profile that nobody has configured.
    #[error("there is no profile `{profile}`")]
    UnknownProfile {
        /// As given.
        profile: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// Configuration files that cannot be read.
    #[error("the AWS configuration cannot be read: {reason}")]
    Configuration {
        /// The SDK's words.
        reason: String,
    },
    /// An endpoint for one service: recovery would look for that service's resources elsewhere.
    #[error(
        "{setting} sends the calls of {service} alone to {url}, and clean-up goes to one endpoint"
    )]
    ServiceEndpoint {
        /// Such as `Lambda`.
        service: &'static str,
        /// Where its calls would go.
        url: String,
        /// Who says so.
        setting: String,
    },
    /// An endpoint that is none. The SDK would pass over it and call AWS.
    #[error("{setting} is no URL: `{url}`")]
    NoUrl {
        /// As given.
        url: String,
        /// Who says so.
        setting: String,
    },
    /// Credentials that are missing or cannot be read.
    #[error("no usable credentials: {reason}")]
    Credentials {
        /// The SDK's words.
        reason: String,
    },
}

const CONFIGURATION: &str = "look at ~/.aws/credentials and ~/.aws/config (or where AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE lead)";

impl ConnectError {
    /// What to do next. `local`: whether it can be tried with no AWS account.
    #[must_use]
    pub fn help(&self, local: bool) -> String {
        match self {
            Self::NoRegion if local => {
                "name one with --region or AWS_REGION, or try it with no AWS account: --local"
                    .to_owned()
            }
            Self::NoRegion => "name one with --region or AWS_REGION".to_owned(),
            Self::UnknownRegion { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`?")
            }
            Self::UnknownRegion { nearest: None, .. } => {
                "name one such as `us-east-1` or `eu-central-1`".to_owned()
            }
            Self::UnknownProfile { profile, known } => other_profiles(profile, known),
            Self::ServiceEndpoint { .. } => {
                "send all calls there with --endpoint-url or AWS_ENDPOINT_URL, or none: AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"
                    .to_owned()
            }
            Self::NoUrl { .. } => "write a URL such as http://127.0.0.1:4566".to_owned(),
            Self::Configuration { .. } => CONFIGURATION.to_owned(),
            Self::Credentials { reason } if reason.contains("rofile") => CONFIGURATION.to_owned(),
            Self::Credentials { .. } if local => {
                "run `aws configure` or `aws sso login`, choose others with --profile, or try it with no AWS account: --local"
                    .to_owned()
            }
            Self::Credentials { .. } => {
                "run `aws configure` or `aws sso login`, or choose others with --profile".to_owned()
            }
        }
    }
}

fn other_profiles(profile: &str, known: &[String]) -> String {
    if known.is_empty() {
        return "no profile is configured: `aws configure --profile NAME` makes one".to_owned();
    }
    let near = crate::diagnostic::did_you_mean(profile, known.iter().map(String::as_str));
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
        error.help(true)
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
        assert!(none.help(true).ends_with("--local"), "{}", none.help(true));
        assert_eq!(
            none.help(false),
            "run `aws configure` or `aws sso login`, or choose others with --profile"
        );
        assert_eq!(ConnectError::NoRegion.help(false), "name one with --region or AWS_REGION");
    }
}

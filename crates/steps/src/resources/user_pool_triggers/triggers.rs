//! The triggers of a user pool, by the names that Cognito has for them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::types::{
    CustomEmailLambdaVersionConfigType, CustomSmsLambdaVersionConfigType,
    InboundFederationLambdaType, LambdaConfigType, PreTokenGenerationVersionConfigType,
};
use aws_smithy_types::error::operation::BuildError;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

/// What a trigger calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Trigger {
    /// A function; or the key that Cognito encrypts with, for `KMSKeyID`.
    Arn(String),
    /// A function, and the version of the event that it is given.
    Versioned(VersionedTrigger),
}

impl Trigger {
    /// The ARN of what it calls.
    pub(crate) fn arn(&self) -> &str {
        match self {
            Self::Arn(arn) => arn,
            Self::Versioned(it) => &it.lambda_arn,
        }
    }
}

/// A function, and the version of the event that it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionedTrigger {
    /// The function's ARN.
    #[serde(rename = "LambdaArn")]
    lambda_arn: String,
    /// The version of the event, such as `V1_0`.
    #[serde(rename = "LambdaVersion")]
    lambda_version: String,
}

/// The triggers of a pool, by name.
pub(crate) type Triggers = BTreeMap<String, Trigger>;

/// What is to become of triggers, by name: nothing is in place of those that are to go.
pub(crate) type Changes = BTreeMap<String, Option<Trigger>>;

/// Triggers to set, or with `null` to take away.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Wanted {
    /// The ARN of the function called before a sign-up.
    pre_sign_up: Given<String>,
    /// The ARN of the function that words messages.
    custom_message: Given<String>,
    /// The ARN of the function called after a confirmation.
    post_confirmation: Given<String>,
    /// The ARN of the function called before a sign-in.
    pre_authentication: Given<String>,
    /// The ARN of the function called after a sign-in.
    post_authentication: Given<String>,
    /// The ARN of the function that says which challenge comes next.
    define_auth_challenge: Given<String>,
    /// The ARN of the function that makes a challenge.
    create_auth_challenge: Given<String>,
    /// The ARN of the function that judges the answer to a challenge.
    verify_auth_challenge_response: Given<String>,
    /// The ARN of the function called before tokens are made, with the first version of its event.
    pre_token_generation: Given<String>,
    /// The ARN of the function asked for users that the pool does not know.
    user_migration: Given<String>,
    /// The function called before tokens are made, and the version of its event.
    pre_token_generation_config: Given<VersionedTrigger>,
    /// The function that sends text messages; needs `KMSKeyID`.
    #[serde(rename = "CustomSMSSender")]
    custom_sms_sender: Given<VersionedTrigger>,
    /// The function that sends e-mail; needs `KMSKeyID`.
    custom_email_sender: Given<VersionedTrigger>,
    /// The ARN of the key that codes for custom senders are encrypted with.
    #[serde(rename = "KMSKeyID")]
    kms_key_id: Given<String>,
    /// The function called when somebody comes from another identity provider.
    inbound_federation: Given<VersionedTrigger>,
}

/// Absent, null, or something: three different wishes.
#[derive(Default)]
enum Given<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Given<T> {
    fn change(
        self,
        name: &str,
        trigger: impl FnOnce(T) -> Trigger,
    ) -> Option<(String, Option<Trigger>)> {
        let change = match self {
            Self::Absent => return None,
            Self::Null => None,
            Self::Value(value) => Some(trigger(value)),
        };
        Some((name.to_owned(), change))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: JsonSchema> JsonSchema for Given<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        <Option<T>>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Option<T>>::json_schema(generator)
    }
}

impl Wanted {
    /// The same by name, without what is not mentioned.
    pub(crate) fn changes(self) -> Changes {
        let arn = |name: &str, it: Given<String>| it.change(name, Trigger::Arn);
        let versioned =
            |name: &str, it: Given<VersionedTrigger>| it.change(name, Trigger::Versioned);
        [
            arn("PreSignUp", self.pre_sign_up),
            arn("CustomMessage", self.custom_message),
            arn("PostConfirmation", self.post_confirmation),
            arn("PreAuthentication", self.pre_authentication),
            arn("PostAuthentication", self.post_authentication),
            arn("DefineAuthChallenge", self.define_auth_challenge),
            arn("CreateAuthChallenge", self.create_auth_challenge),
            arn("VerifyAuthChallengeResponse", self.verify_auth_challenge_response),
            arn(ONE_VERSION, self.pre_token_generation),
            arn("UserMigration", self.user_migration),
            versioned(ANY_VERSION, self.pre_token_generation_config),
            versioned("CustomSMSSender", self.custom_sms_sender),
            versioned("CustomEmailSender", self.custom_email_sender),
            arn("KMSKeyID", self.kms_key_id),
            versioned("InboundFederation", self.inbound_federation),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Cognito keeps one trigger under these two names: where one is set, it describes the other too.
const ONE_VERSION: &str = "PreTokenGeneration";
const ANY_VERSION: &str = "PreTokenGenerationConfig";

/// The other name of the same trigger.
fn twin(name: &str) -> Option<&'static str> {
    match name {
        ONE_VERSION => Some(ANY_VERSION),
        ANY_VERSION => Some(ONE_VERSION),
        _ => None,
    }
}

/// That name and the other one of the same trigger.
pub(crate) fn names_of(name: &str) -> impl Iterator<Item = &str> + Clone {
    [Some(name), twin(name)].into_iter().flatten()
}

/// The triggers after `changes`. A twin that is not mentioned goes: Cognito refuses two that differ.
pub(crate) fn apply(triggers: &Triggers, changes: &Changes) -> Triggers {
    let mut after = triggers.clone();
    for name in changes.keys() {
        after.remove(name);
        if let Some(twin) = twin(name) {
            after.remove(twin);
        }
    }
    let set = changes.iter().filter_map(|(name, to)| Some((name.clone(), to.clone()?)));
    after.extend(set);
    after
}

/// How a trigger stands now, seen from before and after the run's change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As it was before.
    AsBefore,
    /// As the run left it.
    Ours,
    /// Otherwise.
    Foreign,
}

/// How the trigger of that name stands. Names of one trigger stand or fall together.
pub(crate) fn standing(name: &str, now: &Triggers, before: &Triggers, ours: &Changes) -> Standing {
    let same = |name: &str, then: Option<&Trigger>| now.get(name) == then;
    let mut twins = names_of(name);
    if twins.clone().all(|name| same(name, before.get(name))) {
        return Standing::AsBefore;
    }
    let wanted = |name| ours.get(name).map(Option::as_ref);
    if twins.all(|name| wanted(name).is_none_or(|trigger| same(name, trigger))) {
        Standing::Ours
    } else {
        Standing::Foreign
    }
}

/// What puts the trigger of that name back to what it was.
pub(crate) fn restoring(name: &str, before: &Triggers) -> Changes {
    names_of(name).map(|name| (name.to_owned(), before.get(name).cloned())).collect()
}

/// A pool's triggers, as the SDK has them.
pub(crate) fn of_sdk(config: Option<&LambdaConfigType>) -> Triggers {
    let Some(config) = config else {
        return Triggers::new();
    };
    let arn = |arn: &Option<String>| arn.clone().map(Trigger::Arn);
    let versioned = |lambda_arn: &str, lambda_version: &str| {
        Trigger::Versioned(VersionedTrigger {
            lambda_arn: lambda_arn.to_owned(),
            lambda_version: lambda_version.to_owned(),
        })
    };
    let before_tokens = config.pre_token_generation_config.as_ref();
    let texts = config.custom_sms_sender.as_ref();
    let mails = config.custom_email_sender.as_ref();
    let federation = config.inbound_federation.as_ref();
    [
        ("PreSignUp", arn(&config.pre_sign_up)),
        ("CustomMessage", arn(&config.custom_message)),
        ("PostConfirmation", arn(&config.post_confirmation)),
        ("PreAuthentication", arn(&config.pre_authentication)),
        ("PostAuthentication", arn(&config.post_authentication)),
        ("DefineAuthChallenge", arn(&config.define_auth_challenge)),
        ("CreateAuthChallenge", arn(&config.create_auth_challenge)),
        ("VerifyAuthChallengeResponse", arn(&config.verify_auth_challenge_response)),
        (ONE_VERSION, arn(&config.pre_token_generation)),
        ("UserMigration", arn(&config.user_migration)),
        (
            ANY_VERSION,
            before_tokens.map(|it| versioned(it.lambda_arn(), it.lambda_version().as_str())),
        ),
        (
            "CustomSMSSender",
            texts.map(|it| versioned(it.lambda_arn(), it.lambda_version().as_str())),
        ),
        (
            "CustomEmailSender",
            mails.map(|it| versioned(it.lambda_arn(), it.lambda_version().as_str())),
        ),
        ("KMSKeyID", arn(&config.kms_key_id)),
        (
            "InboundFederation",
            federation.map(|it| versioned(it.lambda_arn(), it.lambda_version().as_str())),
        ),
    ]
    .into_iter()
    .filter_map(|(name, trigger)| Some((name.to_owned(), trigger?)))
    .collect()
}

/// Triggers, as the SDK wants them.
pub(crate) fn to_sdk(triggers: &Triggers) -> Result<LambdaConfigType, BuildError> {
    let arn = |name: &str| match triggers.get(name) {
        Some(Trigger::Arn(arn)) => Some(arn.clone()),
        _ => None,
    };
    let versioned = |name: &str| match triggers.get(name) {
        Some(Trigger::Versioned(it)) => Some((it.lambda_arn.clone(), it.lambda_version.as_str())),
        _ => None,
    };
    macro_rules! built {
        ($name:expr, $type:ident) => {
            versioned($name)
                .map(|(arn, version)| {
                    $type::builder().lambda_arn(arn).lambda_version(version.into()).build()
                })
                .transpose()?
        };
    }
    Ok(LambdaConfigType::builder()
        .set_pre_sign_up(arn("PreSignUp"))
        .set_custom_message(arn("CustomMessage"))
        .set_post_confirmation(arn("PostConfirmation"))
        .set_pre_authentication(arn("PreAuthentication"))
        .set_post_authentication(arn("PostAuthentication"))
        .set_define_auth_challenge(arn("DefineAuthChallenge"))
        .set_create_auth_challenge(arn("CreateAuthChallenge"))
        .set_verify_auth_challenge_response(arn("VerifyAuthChallengeResponse"))
        .set_pre_token_generation(arn(ONE_VERSION))
        .set_user_migration(arn("UserMigration"))
        .set_pre_token_generation_config(built!(ANY_VERSION, PreTokenGenerationVersionConfigType))
        .set_custom_sms_sender(built!("CustomSMSSender", CustomSmsLambdaVersionConfigType))
        .set_custom_email_sender(built!("CustomEmailSender", CustomEmailLambdaVersionConfigType))
        .set_kms_key_id(arn("KMSKeyID"))
        .set_inbound_federation(built!("InboundFederation", InboundFederationLambdaType))
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn triggers(value: serde_json::Value) -> Triggers {
        serde_json::from_value(value).expect("triggers")
    }

    fn changes(value: serde_json::Value) -> Changes {
        serde_json::from_value::<Wanted>(value).expect("a wish").changes()
    }

    fn all() -> serde_json::Value {
        let versioned = |name: &str| json!({"LambdaArn": name, "LambdaVersion": "V1_0"});
        json!({
            "PreSignUp": "1", "CustomMessage": "2", "PostConfirmation": "3", "PreAuthentication": "4",
            "PostAuthentication": "5", "DefineAuthChallenge": "6", "CreateAuthChallenge": "7",
            "VerifyAuthChallengeResponse": "8", "PreTokenGeneration": "9", "UserMigration": "10",
            "PreTokenGenerationConfig": versioned("9"), "CustomSMSSender": versioned("11"),
            "CustomEmailSender": versioned("12"), "KMSKeyID": "13",
            "InboundFederation": versioned("14"),
        })
    }

    #[test]
    fn every_trigger_that_the_sdk_knows_goes_there_and_back() {
        let every = triggers(all());
        let sdk = to_sdk(&every).expect("complete");
        assert_eq!(of_sdk(Some(&sdk)), every);
        // One `None` in the SDK's own words would be a trigger that is lost here.
        assert!(!format!("{sdk:?}").contains("None"), "{sdk:?}");
        assert!(of_sdk(None).is_empty());
    }

    #[test]
    fn every_trigger_can_be_wished_for_and_wished_away() {
        let wished = changes(all());
        assert_eq!(apply(&Triggers::new(), &wished), triggers(all()));
        let away: serde_json::Map<_, _> = all()
            .as_object()
            .expect("a map")
            .keys()
            .map(|name| (name.clone(), serde_json::Value::Null))
            .collect();
        assert!(apply(&triggers(all()), &changes(away.into())).is_empty());
        assert_eq!(apply(&triggers(all()), &changes(json!({}))), triggers(all()));
        assert!(serde_json::from_value::<Wanted>(json!({"PreSignup": "1"})).is_err());
    }

    #[test]
    fn one_trigger_under_two_names_changes_as_one() {
        let both = json!({
            "PreTokenGeneration": "old",
            "PreTokenGenerationConfig": {"LambdaArn": "old", "LambdaVersion": "V1_0"},
            "UserMigration": "kept",
        });
        let after = apply(&triggers(both.clone()), &changes(json!({"PreTokenGeneration": "new"})));
        assert_eq!(after, triggers(json!({"PreTokenGeneration": "new", "UserMigration": "kept"})));
        let gone = apply(&triggers(both), &changes(json!({"PreTokenGenerationConfig": null})));
        assert_eq!(gone, triggers(json!({"UserMigration": "kept"})));
    }

    #[test]
    fn a_trigger_is_ours_as_long_as_nobody_changed_it() {
        let before = triggers(json!({"PreSignUp": "theirs"}));
        let ours = changes(json!({"PreSignUp": "ours", "UserMigration": null}));
        let now = |value| triggers(value);
        let of = |now: &Triggers| standing("PreSignUp", now, &before, &ours);
        assert_eq!(of(&now(json!({"PreSignUp": "ours"}))), Standing::Ours);
        assert_eq!(of(&now(json!({"PreSignUp": "theirs"}))), Standing::AsBefore);
        assert_eq!(of(&now(json!({"PreSignUp": "other"}))), Standing::Foreign);
        assert_eq!(of(&now(json!({}))), Standing::Foreign);
        let untouched = standing("UserMigration", &now(json!({})), &before, &ours);
        assert_eq!(untouched, Standing::AsBefore);
    }

    #[test]
    fn the_name_that_cognito_adds_is_ours_too_and_is_put_back_with_the_other() {
        let before = triggers(json!({}));
        let ours = changes(json!({"PreTokenGeneration": "ours"}));
        let config = |arn| json!({"LambdaArn": arn, "LambdaVersion": "V1_0"});
        let now = triggers(
            json!({"PreTokenGeneration": "ours", "PreTokenGenerationConfig": config("ours")}),
        );
        assert_eq!(standing("PreTokenGeneration", &now, &before, &ours), Standing::Ours);
        let back = restoring("PreTokenGeneration", &before);
        assert!(apply(&now, &back).is_empty());
        let both = triggers(all());
        let back = restoring("PreTokenGenerationConfig", &both);
        assert_eq!(apply(&now, &back)["PreTokenGeneration"], Trigger::Arn("9".to_owned()));
    }
}

//! What a function has logged that a user pool called, and that kept it from doing what was asked.
//!
//! Cognito says of such a function hardly more than that it failed:
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>

use std::future::Future;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::operation::describe_user_pool_client::DescribeUserPoolClientOutput;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::triggers::{self, Triggers};
use super::{UserPoolTriggers, describe, described};
use crate::resources::function::log_group_of;
use crate::resources::log_events::{Wanted, latest};
use crate::resources::user_pool_client::UserPoolClient;
use engine::aws::CallError;
use engine::step::context::Backoff;
use engine::step::{Context, StepError};

/// How many lines of a function's log are shown.
const LINES_SHOWN: usize = 20;

/// Something that a pool does, and that calls functions.
pub(crate) struct Occasion<'a> {
    cx: &'a Context,
    user_pool_id: Option<&'a str>,
    client_id: Option<&'a str>,
    began: Timestamp,
}

/// A function that may have failed.
#[derive(Debug, PartialEq, Eq)]
struct Suspect {
    function: String,
    /// The triggers under which the pool calls it.
    names: Vec<String>,
}

/// What went wrong between a pool and a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Complaint {
    /// It could not be called at all.
    NotCalled,
    /// It took longer than Cognito waits.
    TooSlow,
    /// It failed.
    Failed,
    /// It answered what Cognito does not understand.
    Nonsense,
}

impl<'a> Occasion<'a> {
    /// The occasion begins now. Where the pool's id is not known, a pool is looked for to which the client belongs.
    pub(crate) fn new(
        cx: &'a Context,
        user_pool_id: Option<&'a str>,
        client_id: Option<&'a str>,
    ) -> Self {
        Self { cx, user_pool_id, client_id, began: Timestamp::now() }
    }

    /// Sees it through. Where a function is at fault, the error comes with what that function has logged meanwhile.
    pub(crate) fn through<'f, T: Send + 'f>(
        self,
        doing: impl Future<Output = Result<T, StepError>> + Send + 'f,
    ) -> BoxFuture<'f, Result<T, StepError>>
    where
        'a: 'f,
    {
        // What the SDK's futures hold comes to many kilobytes.
        Box::pin(async move {
            match doing.await {
                Err(StepError::Call(error)) => Err(self.explained(error).await),
                result => result,
            }
        })
    }

    async fn explained(&self, error: CallError) -> StepError {
        let Some(complaint) = complaint(&error) else {
            return error.into();
        };
        let details = match self.triggers().await {
            Ok(Some(triggers)) => self.logs(complaint, &suspects(&triggers, &error)).await,
            Ok(None) => vec![
                "which user pool this is about is not known: with `user_pool_id`, the function's log is shown here"
                    .to_owned(),
            ],
            Err(unseen) => vec![format!("the pool's triggers cannot be looked up: {unseen}")],
        };
        let code = error.code.unwrap_or_default();
        StepError::Failed {
            help: Some(complaint.help(&code)),
            code,
            message: error.message,
            details,
        }
    }

    /// The functions that the pool calls, where it is known which pool that is.
    async fn triggers(&self) -> Result<Option<Triggers>, StepError> {
        let found = match self.user_pool_id {
            Some(user_pool_id) => Some(user_pool_id.to_owned()),
            None => self.pool_of_client().await,
        };
        let Some(user_pool_id) = found else {
            return Ok(None);
        };
        let planned = described(self.cx, &user_pool_id, &Triggers::new());
        let pool = describe(self.cx, &user_pool_id, planned).await?;
        Ok(Some(triggers::of_sdk(pool.lambda_config())))
    }

    /// A client's id does not name its pool: the one that the run has had to do with and that knows the client.
    async fn pool_of_client(&self) -> Option<String> {
        let client_id = self.client_id?;
        let changed = self.cx.made::<UserPoolTriggers>().into_iter().map(|it| it.user_pool_id);
        let clients = self.cx.made::<UserPoolClient>().into_iter().map(|it| it.user_pool_id);
        let mut pools: Vec<_> = changed.chain(clients).collect();
        pools.sort();
        pools.dedup();
        for user_pool_id in pools {
            let request = self
                .cx
                .aws
                .cognito()
                .describe_user_pool_client()
                .user_pool_id(&user_pool_id)
                .client_id(client_id);
            let placeholder = || Ok(DescribeUserPoolClientOutput::builder().build());
            if self.cx.aws.call(request.send(), placeholder).await.is_ok() {
                return Some(user_pool_id);
            }
        }
        None
    }

    async fn logs(&self, complaint: Complaint, suspects: &[Suspect]) -> Vec<String> {
        let mut lines = Vec::new();
        for suspect in suspects {
            let name = suspect.name();
            match complaint {
                Complaint::NotCalled => {
                    lines.push(format!("{name} was not called, and has logged nothing"));
                }
                _ => match self.log(&suspect.function).await {
                    Ok(log) if log.is_empty() => lines.push(format!(
                        "{name} has logged nothing: see that its role may write to {}",
                        log_group_of(&suspect.function)
                    )),
                    Ok(log) => {
                        lines.push(format!("the log of {name}:"));
                        lines.extend(log);
                    }
                    Err(unseen) => {
                        lines.push(format!("the log of {name} cannot be read: {unseen}"));
                    }
                },
            }
        }
        lines
    }

    /// The last lines that a function has logged since the occasion began. They arrive some seconds later.
    async fn log(&self, function: &str) -> Result<Vec<String>, StepError> {
        let (cx, group) = (self.cx, log_group_of(function));
        let wanted = Wanted {
            log_group: &group,
            start: self.began.as_millisecond(),
            filter_pattern: None,
            limit: LINES_SHOWN,
        };
        let what = format!("the log of {function}");
        let arrived = cx.until(&what, backoff(cx), || async {
            let events = latest(cx, &wanted).await?;
            let over = events.iter().any(|event| is_report(&event.message));
            Ok(over.then_some(events))
        });
        let events = match arrived.await {
            // Of a function that still runs, there may be a beginning.
            Err(StepError::TimedOut { .. }) => latest(cx, &wanted).await?,
            events => events?,
        };
        let lines: Vec<_> =
            events.iter().flat_map(|event| event.message.lines()).map(str::to_owned).collect();
        let start = lines.len().saturating_sub(LINES_SHOWN);
        Ok(lines.into_iter().skip(start).collect())
    }
}

/// Nothing shows up late on this machine.
fn backoff(cx: &Context) -> Backoff {
    let limit = Duration::from_secs(if cx.run.on_this_machine { 2 } else { 15 });
    Backoff { limit, ..Backoff::seconds(0) }
}

/// Whether Lambda says in that event that an invocation is over.
fn is_report(message: &str) -> bool {
    message.starts_with("REPORT RequestId") || message.contains("\"platform.report\"")
}

impl Suspect {
    fn name(&self) -> String {
        let function = self.function.rsplit(":function:").next().unwrap_or_default();
        format!("{function} ({})", self.names.join(", "))
    }
}

/// The functions that an error may be about: the one of the trigger that it names, or all.
fn suspects(triggers: &Triggers, error: &CallError) -> Vec<Suspect> {
    let code = error.code.as_deref().unwrap_or_default();
    let said = error.message.strip_prefix(code).unwrap_or(&error.message).trim_start_matches(": ");
    let named = match said.split_once(' ') {
        _ if is_failed_migration(error) => "UserMigration",
        Some((first, _)) if triggers.contains_key(first) => first,
        _ => "",
    };
    let mut suspects: Vec<Suspect> = Vec::new();
    for (name, trigger) in triggers {
        let function = trigger.arn();
        if (!named.is_empty() && !triggers::names_of(named).any(|it| it == name))
            || !function.contains(":lambda:")
        {
            continue;
        }
        match suspects.iter_mut().find(|suspect| suspect.function == function) {
            Some(suspect) => suspect.names.push(name.clone()),
            None => {
                suspects.push(Suspect { function: function.to_owned(), names: vec![name.clone()] });
            }
        }
    }
    suspects
}

/// What an error says of a function, if it is about one.
fn complaint(error: &CallError) -> Option<Complaint> {
    match error.code.as_deref()? {
        "UserLambdaValidationException" => Some(Complaint::Failed),
        "InvalidLambdaResponseException" => Some(Complaint::Nonsense),
        "UnexpectedLambdaException" if error.message.contains("AccessDenied") => {
            Some(Complaint::NotCalled)
        }
        "UnexpectedLambdaException" if error.message.contains("timeout") => {
            Some(Complaint::TooSlow)
        }
        "UnexpectedLambdaException" => Some(Complaint::Failed),
        _ if is_failed_migration(error) => Some(Complaint::Nonsense),
        _ => None,
    }
}

/// Of what is wrong with a migrating function's answer, Cognito says no more than this.
fn is_failed_migration(error: &CallError) -> bool {
    error.is("UserNotFoundException") && error.message.contains("Exception migrating user")
}

impl Complaint {
    fn help(self, code: &str) -> String {
        match self {
            Self::NotCalled => "allow the call with `add-permission` (principal cognito-idp.amazonaws.com, source_arn that \
                                of the pool), and see that the function is there and Lambda can assume its role"
                .to_owned(),
            Self::TooSlow => {
                "Cognito waits five seconds for a function, three times: let it answer sooner".to_owned()
            }
            Self::Failed => format!(
                "fix the handler; where the failure is wanted, write `expect_error: {code}` on this step"
            ),
            Self::Nonsense => {
                "a handler returns the event that it was given, with what it has to say in its `response`".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::triggers::Trigger;
    use super::*;
    use engine::aws::Outcome;
    use serde_json::json;

    fn refusal(code: &str, message: &str) -> CallError {
        CallError {
            service: "cognito-idp".to_owned(),
            operation: "SignUp".to_owned(),
            code: Some(code.to_owned()),
            message: format!("{code}: {message}"),
            status: Some(400),
            request_id: None,
            outcome: Outcome::Refused,
        }
    }

    fn function(name: &str) -> String {
        format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}")
    }

    fn triggers() -> Triggers {
        let before_tokens = json!({"LambdaArn": function("tokens"), "LambdaVersion": "V2_0"});
        serde_json::from_value(json!({
            "PreSignUp": function("both"), "PostConfirmation": function("both"),
            "UserMigration": function("migrate"), "PreTokenGenerationConfig": before_tokens,
            "KMSKeyID": "arn:aws:kms:eu-central-1:123456789012:key/7",
        }))
        .expect("triggers")
    }

    fn names(code: &str, message: &str) -> Vec<String> {
        suspects(&triggers(), &refusal(code, message)).iter().map(Suspect::name).collect()
    }

    #[test]
    fn the_function_of_the_trigger_that_is_named_is_meant() {
        let failed = "UserLambdaValidationException";
        assert_eq!(names(failed, "PreSignUp failed with error x."), ["both (PreSignUp)"]);
        assert_eq!(
            names("UnexpectedLambdaException", "UserMigration invocation failed due to error y."),
            ["migrate (UserMigration)"]
        );
        let lost = "Exception migrating user in app client 7";
        assert_eq!(names("UserNotFoundException", lost), ["migrate (UserMigration)"]);
    }

    #[test]
    fn where_none_is_named_all_are_meant_and_a_key_is_none() {
        let all = names("InvalidLambdaResponseException", "Unrecognizable lambda output");
        let every = [
            "both (PostConfirmation, PreSignUp)",
            "tokens (PreTokenGenerationConfig)",
            "migrate (UserMigration)",
        ];
        assert_eq!(all, every);
        assert!(suspects(&Triggers::new(), &refusal("X", "y")).is_empty());
    }

    #[test]
    fn one_trigger_under_two_names_is_found_by_either() {
        let mut both = triggers();
        both.insert("PreTokenGeneration".to_owned(), Trigger::Arn(function("tokens")));
        let error =
            refusal("UserLambdaValidationException", "PreTokenGeneration failed with error z.");
        let found: Vec<_> = suspects(&both, &error).iter().map(Suspect::name).collect();
        assert_eq!(found, ["tokens (PreTokenGeneration, PreTokenGenerationConfig)"]);
    }

    #[test]
    fn only_errors_about_functions_are_explained() {
        let of = |code, message| complaint(&refusal(code, message));
        let unexpected = "UnexpectedLambdaException";
        assert_eq!(of("UserLambdaValidationException", "any"), Some(Complaint::Failed));
        assert_eq!(of("InvalidLambdaResponseException", "any"), Some(Complaint::Nonsense));
        let denied = "PreSignUp invocation failed due to error AccessDeniedException.";
        assert_eq!(of(unexpected, denied), Some(Complaint::NotCalled));
        let slow = "PreSignUp invocation failed due to error Socket timeout while invoking Lambda function.";
        assert_eq!(of(unexpected, slow), Some(Complaint::TooSlow));
        assert_eq!(of(unexpected, "ServiceException"), Some(Complaint::Failed));
        assert_eq!(of("UserNotFoundException", "User does not exist."), None);
        assert_eq!(of("InvalidPasswordException", "any"), None);
    }

    #[test]
    fn lambda_says_in_either_format_that_it_is_over() {
        assert!(is_report("REPORT RequestId: 7\tDuration: 1.63 ms"));
        assert!(is_report(r#"{"time":"…","type":"platform.report","record":{}}"#));
        assert!(!is_report("START RequestId: 7 Version: $LATEST"));
    }
}

//! `CUSTOM_AUTH`: three functions of the pool's owner decide what is asked, ask it, and judge the answers.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::Answer;
use super::auth::{Grant, InitiateAuth};
use super::challenges::{Challenge, Kind};
use super::clients::Flow;
use super::error::{invalid, invalid_session, no_user, wrong_password};
use super::pools::Pool;
use super::srp;
use super::triggers::{Firing, Occasion, Trigger, shaped, unrecognizable};
use super::{Cognito, Context, Output};
use crate::protocol::AwsError;

const SOURCE: &str = "TokenGeneration_Authentication";

/// What has been asked so far in a sign-in, and how it was answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Rounds {
    /// The client's public number, where the sign-in began with one.
    client_public: Option<String>,
    past: Vec<Value>,
}

impl Rounds {
    pub(super) fn push(&mut self, name: &str, right: bool, metadata: Option<&str>) {
        self.past.push(json!({
            "challengeName": name,
            "challengeResult": right,
            "challengeMetadata": metadata,
        }));
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Defined {
    challenge_name: Option<String>,
    issue_tokens: Option<bool>,
    fail_authentication: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Created {
    public_challenge_parameters: Option<Map<String, Value>>,
    private_challenge_parameters: Option<Map<String, Value>>,
    challenge_metadata: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Judged {
    answer_correct: Option<bool>,
}

/// The call of one of the three functions.
struct Turn<'a> {
    trigger: Trigger,
    username: &'a str,
    client_id: &'a str,
    request: Value,
    response: Value,
    client_metadata: Option<&'a Value>,
}

impl Pool {
    fn custom_firing(&self, turn: Turn<'_>) -> Result<Firing, AwsError> {
        let user = self.find(turn.username);
        let mut request = turn.request;
        request["userAttributes"] = user.map_or(json!({}), |user| json!(user.event_attributes()));
        if let Some(metadata) = turn.client_metadata {
            request["clientMetadata"] = metadata.clone();
        }
        if self.client(turn.client_id)?.settings.hides_users() {
            request["userNotFound"] = json!(user.is_none());
        }
        let occasion = Occasion {
            source: &format!("{}_Authentication", turn.trigger.name()),
            username: user.map_or(turn.username, |user| &user.username),
            client_id: turn.client_id,
            request,
            response: turn.response,
        };
        self.firing(turn.trigger, &occasion).ok_or_else(|| {
            invalid("Custom auth lambda trigger is not configured for the user pool.")
        })
    }
}

impl Cognito {
    pub(super) async fn by_custom(&self, input: &InitiateAuth) -> Output {
        let (client_id, name) = (input.client_id(), input.parameter("USERNAME")?);
        let firing = self.with(|state, _| {
            let pool = input.admit(state, name, Flow::Custom)?;
            if pool.find(name).is_none() && !pool.client(client_id)?.settings.hides_users() {
                return Err(no_user());
            }
            pool.attempt_firing(name, client_id, input.validation_data())
        })?;
        self.fire(firing).await?;
        let mut rounds = Rounds::default();
        if let Some("SRP_A") = input.optional("CHALLENGE_NAME") {
            rounds.client_public = Some(input.parameter("SRP_A")?.to_owned());
            rounds.push("SRP_A", true, None);
        }
        self.next_round(name, client_id, rounds, None).await
    }

    /// Asks the first function what comes next.
    pub(super) async fn next_round(
        &self,
        username: &str,
        client_id: &str,
        rounds: Rounds,
        client_metadata: Option<&Value>,
    ) -> Output {
        let firing = self.with(|state, _| {
            state.pool_of_client(client_id)?.custom_firing(Turn {
                trigger: Trigger::DefineAuthChallenge,
                username,
                client_id,
                request: json!({"userAttributes": {}, "session": rounds.past}),
                response: json!({
                    "challengeName": null,
                    "issueTokens": null,
                    "failAuthentication": null,
                }),
                client_metadata,
            })
        })?;
        let response = self.fire(Some(firing)).await?.unwrap_or_default();
        let defined: Defined = shaped(&response)?;
        if defined.fail_authentication == Some(true) {
            return Err(wrong_password());
        }
        if defined.issue_tokens == Some(true) {
            let grant = self.with(|state, context| {
                let pool = state.pool_of_client(client_id)?;
                let user = pool.find(username).ok_or_else(wrong_password)?;
                pool.check_status(&user.username, context)?;
                Ok::<_, AwsError>(Grant {
                    pool_id: pool.id.clone(),
                    client_id: client_id.to_owned(),
                    username: user.username.clone(),
                    source: SOURCE,
                    client_metadata: client_metadata.cloned(),
                })
            })?;
            return self.grant(grant).await;
        }
        match defined.challenge_name.as_deref() {
            Some("CUSTOM_CHALLENGE") => {
                self.ask_custom(username, client_id, rounds, client_metadata).await
            }
            Some("PASSWORD_VERIFIER") if rounds.client_public.is_some() => {
                self.with(|state, context| {
                    let pool = state.pool_of_client_mut(client_id)?;
                    let public = rounds.client_public.clone().unwrap_or_default();
                    pool.ask_for_proof(username, client_id, &public, Some(rounds), context)
                })
            }
            _ => Err(unrecognizable()),
        }
    }

    async fn ask_custom(
        &self,
        username: &str,
        client_id: &str,
        rounds: Rounds,
        client_metadata: Option<&Value>,
    ) -> Output {
        let firing = self.with(|state, _| {
            state.pool_of_client(client_id)?.custom_firing(Turn {
                trigger: Trigger::CreateAuthChallenge,
                username,
                client_id,
                request: json!({
                    "userAttributes": {},
                    "challengeName": "CUSTOM_CHALLENGE",
                    "session": rounds.past,
                }),
                response: json!({
                    "publicChallengeParameters": null,
                    "privateChallengeParameters": null,
                    "challengeMetadata": null,
                }),
                client_metadata,
            })
        })?;
        let response = self.fire(Some(firing)).await?.unwrap_or_default();
        let created: Created = shaped(&response)?;
        self.with(|state, context| {
            let pool = state.pool_of_client_mut(client_id)?;
            let own = pool.find(username).map_or(username, |user| &user.username).to_owned();
            let mut parameters = created.public_challenge_parameters.unwrap_or_default();
            if parameters.values().any(|value| !value.is_string()) {
                return Err(unrecognizable());
            }
            parameters.insert("USERNAME".to_owned(), json!(own));
            let kind = Kind::Custom {
                private: Value::Object(created.private_challenge_parameters.unwrap_or_default()),
                metadata: created.challenge_metadata,
                rounds,
            };
            let session = pool.keep(pool.pending(own, client_id, kind, context)?);
            Ok(json!({
                "ChallengeName": "CUSTOM_CHALLENGE",
                "Session": session,
                "ChallengeParameters": parameters,
            }))
        })
    }

    pub(super) async fn answer_custom(&self, input: &Answer) -> Output {
        let answer = input.response("ANSWER")?;
        let (challenge, firing) = self.with(|state, context| {
            let (pool, session, challenge) = input.find(state, context)?;
            let Kind::Custom { private, .. } = &challenge.kind else {
                return Err(invalid_session());
            };
            let firing = pool.custom_firing(Turn {
                trigger: Trigger::VerifyAuthChallengeResponse,
                username: &challenge.username,
                client_id: &challenge.client_id,
                request: json!({
                    "userAttributes": {},
                    "privateChallengeParameters": private,
                    "challengeAnswer": answer,
                }),
                response: json!({"answerCorrect": null}),
                client_metadata: input.client_metadata(),
            })?;
            // An answer is one attempt, whatever becomes of it.
            pool.challenges.remove(&session);
            Ok((challenge, firing))
        })?;
        let response = self.fire(Some(firing)).await?.unwrap_or_default();
        let judged: Judged = shaped(&response)?;
        let right = judged.answer_correct.ok_or_else(unrecognizable)?;
        let Kind::Custom { mut rounds, metadata, .. } = challenge.kind else {
            return Err(invalid_session());
        };
        rounds.push("CUSTOM_CHALLENGE", right, metadata.as_deref());
        let (username, client_id) = (&challenge.username, &challenge.client_id);
        self.next_round(username, client_id, rounds, input.client_metadata()).await
    }

    pub(super) async fn by_srp(&self, input: &InitiateAuth) -> Output {
        let (client_id, name) = (input.client_id(), input.parameter("USERNAME")?);
        let public = input.parameter("SRP_A")?;
        let firing = self.with(|state, _| {
            let pool = input.admit(state, name, Flow::Srp)?;
            if pool.find(name).is_none() && !pool.client(client_id)?.settings.hides_users() {
                return Err(no_user());
            }
            pool.attempt_firing(name, client_id, input.validation_data())
        })?;
        self.fire(firing).await?;
        self.with(|state, context| {
            let pool = state.pool_of_client_mut(client_id)?;
            pool.ask_for_proof(name, client_id, public, None, context)
        })
    }
}

impl Pool {
    /// `PASSWORD_VERIFIER`; of somebody who is not there, one that nobody can answer.
    fn ask_for_proof(
        &mut self,
        name: &str,
        client_id: &str,
        client_public: &str,
        rounds: Option<Rounds>,
        context: &Context,
    ) -> Output {
        let user = self.find(name);
        let own = user.map_or(name, |user| &user.username).to_owned();
        let verifier =
            user.and_then(|user| user.verifier.clone()).unwrap_or_else(|| srp::pretended(&own));
        let exchange = verifier
            .exchange(client_public)
            .ok_or_else(|| invalid("SRP_A must be a non-zero number in hexadecimal."))?;
        let parameters = json!({
            "SALT": exchange.salt,
            "SECRET_BLOCK": exchange.secret_block,
            "SRP_B": exchange.public,
            "USERNAME": own,
            "USER_ID_FOR_SRP": own,
        });
        let is_custom = rounds.is_some();
        let kind = Kind::Password { exchange: Box::new(exchange), rounds };
        let session = self.keep(self.pending(own, client_id, kind, context)?);
        let mut shown = json!({
            "ChallengeName": "PASSWORD_VERIFIER",
            "ChallengeParameters": parameters,
        });
        if is_custom {
            shown["Session"] = json!(session);
        }
        Ok(shown)
    }

    fn pending(
        &self,
        username: String,
        client_id: &str,
        kind: Kind,
        context: &Context,
    ) -> Result<Challenge, AwsError> {
        Ok(Challenge {
            username,
            client_id: client_id.to_owned(),
            expires: context.now + self.client(client_id)?.settings.challenge_lifetime(),
            source: SOURCE,
            kind,
        })
    }
}

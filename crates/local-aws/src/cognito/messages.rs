//! What Cognito writes to people: codes and invitations.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cognito;
use super::inbox::Message;
use super::pools::Pool;
use super::triggers::{Firing, Occasion, Trigger, shaped, unrecognizable};
use super::users::User;
use crate::account::feed::ChangeEvent;
use crate::protocol::AwsError;

const CODE: &str = "{####}";
const USERNAME: &str = "{username}";

/// A message that is to be written.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    firing: Option<Firing>,
    message: Message,
    attribute: String,
}

/// Why a message is written, and to whom.
#[derive(Debug, Clone)]
pub(super) struct Cause<'a> {
    /// What follows `CustomMessage_`.
    pub(super) source: &'a str,
    pub(super) client_id: &'a str,
    /// The attribute that holds the address.
    pub(super) attribute: &'a str,
    /// The address, where the attribute does not hold it yet.
    pub(super) to: Option<&'a str>,
    pub(super) code: String,
    pub(super) client_metadata: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CustomMessage {
    sms_message: Option<String>,
    email_message: Option<String>,
    email_subject: Option<String>,
}

impl Pool {
    /// A code, or an invitation, for a user.
    pub(super) fn draft(&self, user: &User, cause: Cause<'_>) -> Draft {
        let medium = medium(cause.attribute);
        let is_invitation = cause.source == "AdminCreateUser";
        let (subject, body) = if is_invitation {
            self.invitation_texts(medium)
        } else {
            self.verification_texts(medium, cause.source)
        };
        let reason = format!("CustomMessage_{}", cause.source);
        let mut request = json!({
            "userAttributes": user.event_attributes(),
            "codeParameter": CODE,
            "linkParameter": "{##Click Here##}",
            "usernameParameter": is_invitation.then_some(USERNAME),
        });
        if let Some(metadata) = cause.client_metadata {
            request["clientMetadata"] = metadata;
        }
        let occasion = Occasion {
            source: &reason,
            username: &user.username,
            client_id: cause.client_id,
            request,
            response: json!({"smsMessage": null, "emailMessage": null, "emailSubject": null}),
        };
        let firing = self.firing(Trigger::CustomMessage, &occasion);
        let to = cause.to.or_else(|| user.attribute(cause.attribute)).unwrap_or_default();
        let message = Message {
            time: user.modified,
            user_pool_id: self.id.clone(),
            username: user.username.clone(),
            to: to.to_owned(),
            medium,
            reason,
            subject,
            body,
            code: cause.code,
        };
        Draft { firing, message, attribute: cause.attribute.to_owned() }
    }

    fn verification_texts(&self, medium: &str, source: &str) -> (String, String) {
        if source == "Authentication" {
            let own = self.settings.sms_authentication_message.clone();
            let text = own.unwrap_or_else(|| "Your authentication code is {####}.".to_owned());
            return (String::new(), text);
        }
        let template = &self.settings.verification_message_template;
        let (subject, body) = if source == "ForgotPassword" {
            ("Your password reset code", "Your password reset code is {####}")
        } else if medium == "SMS" {
            ("", "Your verification code is {####}")
        } else {
            ("Your verification code", "Your confirmation code is {####}")
        };
        texts(
            medium,
            (&template.sms_message, &template.email_subject, &template.email_message),
            (subject, body),
        )
    }

    fn invitation_texts(&self, medium: &str) -> (String, String) {
        let template = self
            .settings
            .admin_create_user_config
            .invite_message_template
            .clone()
            .unwrap_or_default();
        texts(
            medium,
            (&template.sms_message, &template.email_subject, &template.email_message),
            (
                "Your temporary password",
                "Your username is {username} and temporary password is {####}.",
            ),
        )
    }
}

/// The pool's own text where it has one.
fn texts(
    medium: &str,
    (sms, subject, email): (&Option<String>, &Option<String>, &Option<String>),
    (default_subject, default_body): (&str, &str),
) -> (String, String) {
    let or =
        |own: &Option<String>, default: &str| own.clone().unwrap_or_else(|| default.to_owned());
    if medium == "SMS" {
        (String::new(), or(sms, default_body))
    } else {
        (or(subject, default_subject), or(email, default_body))
    }
}

fn medium(attribute: &str) -> &'static str {
    if attribute == "phone_number" { "SMS" } else { "EMAIL" }
}

impl Cognito {
    /// Lets the `CustomMessage` function have its say, and puts the message into the inbox: `CodeDeliveryDetails`.
    pub(super) async fn deliver(&self, draft: Draft) -> Result<Value, AwsError> {
        let Draft { firing, mut message, attribute } = draft;
        if let Some(response) = self.fire(firing).await? {
            let custom: CustomMessage = shaped(&response)?;
            let (subject, body) = if message.medium == "SMS" {
                (None, custom.sms_message)
            } else {
                (custom.email_subject, custom.email_message)
            };
            if body.as_ref().is_some_and(|body| !body.contains(CODE)) {
                return Err(unrecognizable());
            }
            message.subject = subject.unwrap_or(message.subject);
            message.body = body.unwrap_or(message.body);
        }
        for text in [&mut message.subject, &mut message.body] {
            *text = text.replace(CODE, &message.code).replace(USERNAME, &message.username);
        }
        let details = delivery_details(&message.to, &attribute);
        self.with(|state, context| {
            message.time = context.now;
            state.outbox.push(ChangeEvent::MessageSent {
                to: message.to.clone(),
                medium: message.medium,
                reason: message.reason.clone(),
            });
            state.inbox.push(message);
        });
        Ok(details)
    }
}

/// `CodeDeliveryDetailsType`
pub(super) fn delivery_details(to: &str, attribute: &str) -> Value {
    json!({
        "Destination": mask(to),
        "DeliveryMedium": medium(attribute),
        "AttributeName": attribute,
    })
}

/// `t***@e***`, `+*******0199`
fn mask(to: &str) -> String {
    let first = |text: &str| text.chars().take(1).collect::<String>();
    if let Some((user, host)) = to.split_once('@') {
        return format!("{}***@{}***", first(user), first(host));
    }
    let hidden = to.chars().count().saturating_sub(5);
    let end: String = to.chars().skip(hidden + 1).collect();
    format!("+{}{end}", "*".repeat(hidden))
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn a_destination_is_hinted_at() {
        assert_eq!(mask("test@example.com"), "t***@e***");
        assert_eq!(mask("+12065550199"), "+*******0199");
        assert_eq!(mask(""), "+");
    }
}

//! Temporary credentials, and who the holder of an access key is.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use crate::{account, iam, random};

/// The name of the user to whom every other access key belongs.
const USER_NAME: &str = "playbook";

/// The temporary credentials that have been handed out.
#[derive(Debug, Default)]
pub struct State {
    sessions: BTreeMap<String, Session>,
}

impl account::State for State {
    const SERVICE: &'static str = "sts";
    const SCOPE: account::Scope = account::Scope::Partition;
}

#[derive(Debug)]
struct Session {
    role_arn: String,
    name: String,
    keys: SessionCredentials,
    /// Credentials of functions are renewed by Lambda, and have no end.
    expires: Option<SystemTime>,
}

/// Temporary credentials of a role.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionCredentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// Forty characters.
    pub secret_access_key: String,
    /// What goes into `AWS_SESSION_TOKEN`.
    pub session_token: String,
}

impl fmt::Debug for SessionCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SessionCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Who an access key belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Of a user, or of an assumed role.
    pub arn: String,
    /// `AIDA…`, or `AROA…:SESSION`.
    pub user_id: String,
    /// The role, of an assumed role.
    pub role_arn: Option<String>,
}

impl State {
    /// Hands out credentials under which a caller is `assumed-role/ROLE/SESSION`.
    pub fn open_session(
        &mut self,
        role_arn: &str,
        session_name: &str,
        expires: Option<SystemTime>,
    ) -> SessionCredentials {
        let access_key_id = iam::ids::new("ASIA");
        let keys = SessionCredentials {
            access_key_id: access_key_id.clone(),
            secret_access_key: random::text(40),
            session_token: random::text(300),
        };
        let (role_arn, name) = (role_arn.to_owned(), session_name.to_owned());
        self.sessions
            .insert(access_key_id, Session { role_arn, name, keys: keys.clone(), expires });
        keys
    }

    /// What belongs to an access key that was handed out here.
    #[must_use]
    pub fn credentials(&self, access_key: &str) -> Option<&SessionCredentials> {
        self.sessions.get(access_key).map(|session| &session.keys)
    }

    /// Whether an access key that was handed out here has come to its end.
    #[must_use]
    pub fn is_expired(&self, access_key: &str, now: SystemTime) -> bool {
        let expires = self.sessions.get(access_key).and_then(|session| session.expires);
        expires.is_some_and(|expires| expires <= now)
    }

    /// The account that an access key is of: of a role's, that of the role; twelve digits are an account themselves.
    #[must_use]
    pub fn account_of(&self, access_key: &str) -> Option<String> {
        if let Some(session) = self.sessions.get(access_key) {
            return account_of_arn(&session.role_arn).map(str::to_owned);
        }
        is_account_id(access_key).then(|| access_key.to_owned())
    }

    /// Who signs with that access key.
    #[must_use]
    pub fn identity(&self, access_key: &str, account_id: &str, iam: &iam::State) -> Identity {
        match self.sessions.get(access_key) {
            Some(session) => assumed_role(session, account_id, iam),
            None => Identity {
                arn: format!("arn:aws:iam::{account_id}:user/{USER_NAME}"),
                user_id: iam::ids::stable("AIDA", access_key),
                role_arn: None,
            },
        }
    }
}

/// The account in an ARN.
pub(super) fn account_of_arn(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|id| is_account_id(id))
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn assumed_role(session: &Session, account_id: &str, iam: &iam::State) -> Identity {
    let role_name = session.role_arn.rsplit('/').next().unwrap_or_default();
    let role_id = iam
        .role_id(&session.role_arn)
        .map_or_else(|| iam::ids::stable("AROA", &session.role_arn), str::to_owned);
    Identity {
        arn: format!("arn:aws:sts::{account_id}:assumed-role/{role_name}/{}", session.name),
        user_id: format!("{role_id}:{}", session.name),
        role_arn: Some(session.role_arn.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    const ACCOUNT: &str = "123456789012";
    const TRUST: &str =
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;

    #[test]
    fn an_access_key_is_always_the_same_user() {
        let (sts, iam) = (State::default(), iam::State::default());
        let identity = sts.identity("AKIA1", ACCOUNT, &iam);
        assert_eq!(identity.arn, "arn:aws:iam::123456789012:user/playbook");
        assert!(identity.user_id.starts_with("AIDA") && identity.user_id.len() == 21);
        assert_eq!(sts.identity("AKIA1", ACCOUNT, &iam), identity);
        assert_ne!(sts.identity("AKIA2", ACCOUNT, &iam).user_id, identity.user_id);
    }

    #[test]
    fn a_session_is_its_role() {
        let (mut sts, mut iam) = (State::default(), iam::State::default());
        let context = iam::Context { account_id: ACCOUNT.to_owned(), now: SystemTime::now() };
        let input = iam::CreateRole {
            name: "r".to_owned(),
            path: Some("/p/".to_owned()),
            trust: TRUST.to_owned(),
            ..iam::CreateRole::default()
        };
        let role = iam.create_role(input, &context).expect("a valid role");
        let keys = sts.open_session(&role.arn, "f", None);
        assert!(keys.access_key_id.starts_with("ASIA") && keys.secret_access_key.len() == 40);
        let identity = sts.identity(&keys.access_key_id, ACCOUNT, &iam);
        assert_eq!(identity.arn, "arn:aws:sts::123456789012:assumed-role/r/f");
        assert_eq!(identity.user_id, format!("{}:f", role.id));
    }
}

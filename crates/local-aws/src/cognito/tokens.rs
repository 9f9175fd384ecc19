//! What a sign-in leaves behind: sessions, and the tokens that speak for them.

use std::time::SystemTime;

use serde_json::Value;

use super::error::{disabled, no_user, not_authorized};
use super::keys::{self, Refusal};
use super::pools::Pool;
use super::{State, ids};
use crate::protocol::AwsError;

/// One sign-in and everything that was refreshed from it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// What all tokens of this sign-in share.
    pub(super) origin: String,
    pub(super) refresh_token: String,
    pub(super) username: String,
    pub(super) client_id: String,
    pub(super) signed_in: SystemTime,
    expires: SystemTime,
    pub(super) revoked: bool,
}

/// Whom an access token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) pool_id: String,
    pub(super) client_id: String,
    pub(super) username: String,
}

const REFRESH_TOKEN_LENGTH: usize = 400;

impl Pool {
    pub(super) fn open_session(
        &mut self,
        username: &str,
        client_id: &str,
        now: SystemTime,
    ) -> Result<Session, AwsError> {
        let lifetime = self.client(client_id)?.settings.refresh_lifetime();
        self.sessions.retain(|session| now < session.expires);
        let session = Session {
            origin: crate::ids::uuid(),
            refresh_token: ids::opaque(REFRESH_TOKEN_LENGTH),
            username: username.to_owned(),
            client_id: client_id.to_owned(),
            signed_in: now,
            expires: now + lifetime,
            revoked: false,
        };
        self.sessions.push(session.clone());
        Ok(session)
    }

    /// The session that a refresh token belongs to.
    pub(super) fn refreshed(
        &self,
        token: &str,
        client_id: &str,
        now: SystemTime,
    ) -> Result<&Session, AwsError> {
        let session = self
            .sessions
            .iter()
            .find(|session| session.refresh_token == token && session.client_id == client_id)
            .ok_or_else(|| not_authorized("Invalid Refresh Token"))?;
        if session.revoked {
            return Err(not_authorized("Refresh Token has been revoked"));
        }
        if now >= session.expires {
            return Err(not_authorized("Refresh Token has expired"));
        }
        Ok(session)
    }

    pub(super) fn revoke_sessions(&mut self, username: &str) {
        let theirs = |session: &&mut Session| session.username == username;
        for session in self.sessions.iter_mut().filter(theirs) {
            session.revoked = true;
        }
    }

    /// Takes a user out of the pool, with everything that speaks for them.
    pub(super) fn remove_user(&mut self, username: &str) {
        self.users.remove(username);
        self.sessions.retain(|session| session.username != username);
        self.challenges.retain(|_, challenge| challenge.username != username);
    }
}

impl State {
    /// Whom an access token speaks for, who still exists and may still act.
    pub(super) fn bearer(&self, token: &str, now: SystemTime) -> Result<Bearer, AwsError> {
        let invalid = || not_authorized("Invalid Access Token");
        let claims = keys::verified(token).map_err(|refusal| match refusal {
            Refusal::Malformed => invalid(),
            Refusal::Forged => not_authorized("Could not verify signature for Access Token"),
        })?;
        let text = |name: &str| claims[name].as_str();
        if text("token_use") != Some("access") {
            return Err(invalid());
        }
        if claims["exp"].as_u64().is_none_or(|end| end <= ids::seconds(now)) {
            return Err(not_authorized("Access Token has expired"));
        }
        let (Some(issuer), Some(client_id), Some(sub)) =
            (text("iss"), text("client_id"), text("sub"))
        else {
            return Err(invalid());
        };
        let pool_id = issuer.rsplit('/').next().unwrap_or_default();
        let pool = self.pools.get(pool_id).ok_or_else(invalid)?;
        let user = pool.users.values().find(|user| user.sub == sub).ok_or_else(no_user)?;
        let is_live = |session: &Session| {
            Some(session.origin.as_str()) == origin(&claims) && !session.revoked
        };
        if !pool.sessions.iter().any(is_live) {
            return Err(not_authorized("Access Token has been revoked"));
        }
        if !user.enabled {
            return Err(disabled());
        }
        Ok(Bearer {
            pool_id: pool_id.to_owned(),
            client_id: client_id.to_owned(),
            username: user.username.clone(),
        })
    }
}

fn origin(claims: &Value) -> Option<&str> {
    claims["origin_jti"].as_str().or_else(|| claims["event_id"].as_str())
}

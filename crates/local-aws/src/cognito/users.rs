//! Users, and the names that they answer to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::ids;
use super::mfa::Factors;
use super::passwords::Digest;
use super::srp::Verifier;

/// Where a user stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Unconfirmed,
    Confirmed,
    ResetRequired,
    ForceChangePassword,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ResetRequired => "RESET_REQUIRED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
        }
    }
}

/// What a code is good for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    SignUp,
    ForgotPassword,
    /// The attribute that it verifies.
    Attribute(String),
}

/// A code that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) text: String,
    /// The attribute that it was sent to, which it proves.
    pub(super) attribute: String,
    /// What the attribute becomes, where it was not changed at once.
    pub(super) value: Option<String>,
    expires: SystemTime,
    failures: u32,
}

/// How a code fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    Right(Code),
    Wrong,
    Expired,
    TooOften,
}

const CODE_ATTEMPTS: u32 = 5;

/// A user.
#[derive(Debug, Clone)]
pub(super) struct User {
    /// What follows the region in the pool's identifier: passwords are proved to a pool by that name.
    pool: String,
    pub(super) username: String,
    pub(super) sub: String,
    /// All but `sub`.
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) password: Option<Digest>,
    pub(super) verifier: Option<Verifier>,
    pub(super) factors: Factors,
    pub(super) groups: BTreeSet<String>,
    /// When a temporary password ends.
    pub(super) temporary_until: Option<SystemTime>,
    pub(super) status: Status,
    pub(super) enabled: bool,
    pub(super) created: SystemTime,
    pub(super) modified: SystemTime,
    codes: BTreeMap<Purpose, Code>,
    failures: u32,
    locked_until: Option<SystemTime>,
}

impl User {
    pub(super) fn new(
        pool: &str,
        username: String,
        attributes: BTreeMap<String, String>,
        now: SystemTime,
    ) -> Self {
        Self {
            pool: pool.to_owned(),
            username,
            sub: crate::ids::uuid(),
            attributes,
            password: None,
            verifier: None,
            factors: Factors::default(),
            groups: BTreeSet::new(),
            temporary_until: None,
            status: Status::Unconfirmed,
            enabled: true,
            created: now,
            modified: now,
            codes: BTreeMap::new(),
            failures: 0,
            locked_until: None,
        }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    pub(super) fn is_verified(&self, attribute: &str) -> bool {
        self.attribute(&format!("{attribute}_verified")) == Some("true")
    }

    pub(super) fn set_verified(&mut self, attribute: &str, verified: bool) {
        let value = if verified { "true" } else { "false" };
        self.attributes.insert(format!("{attribute}_verified"), value.to_owned());
    }

    /// `[{Name, Value}]`, `sub` first.
    pub(super) fn attribute_list(&self, wanted: Option<&[String]>) -> Value {
        let sub = ("sub", self.sub.as_str());
        let rest = self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        std::iter::once(sub)
            .chain(rest)
            .filter(|(name, _)| wanted.is_none_or(|wanted| wanted.iter().any(|one| one == name)))
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect()
    }

    /// `UserType`, which calls its attributes by `attributes`: it has two names for them.
    pub(super) fn render(&self, attributes: &str, wanted: Option<&[String]>) -> Value {
        let mut shown = json!({
            "Username": self.username,
            "UserCreateDate": ids::timestamp(self.created),
            "UserLastModifiedDate": ids::timestamp(self.modified),
            "Enabled": self.enabled,
            "UserStatus": self.status.name(),
        });
        shown[attributes] = self.attribute_list(wanted);
        shown
    }

    /// What functions are told of a user.
    pub(super) fn event_attributes(&self) -> Map<String, Value> {
        let mut all = Map::new();
        all.insert("sub".to_owned(), json!(self.sub));
        all.insert("cognito:user_status".to_owned(), json!(self.status.name()));
        all.extend(self.attributes.iter().map(|(name, value)| (name.clone(), json!(value))));
        all
    }

    pub(super) fn set_password(&mut self, password: &str, now: SystemTime) {
        self.password = Some(Digest::of(password));
        self.verifier = Some(Verifier::of(&self.pool, &self.username, password));
        self.temporary_until = None;
        self.failures = 0;
        self.locked_until = None;
        self.modified = now;
    }

    /// Five wrong passwords in a row lock a user out for a second, each further one for twice as long, up to 15 minutes.
    pub(super) fn is_locked(&self, now: SystemTime) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    pub(super) fn password_fits(&mut self, password: &str, now: SystemTime) -> bool {
        let fits = self.password.as_ref().is_some_and(|digest| digest.matches(password));
        self.count_attempt(fits, now);
        fits
    }

    /// Counts a password that was right or wrong.
    pub(super) fn count_attempt(&mut self, right: bool, now: SystemTime) {
        if right {
            self.failures = 0;
            self.locked_until = None;
            return;
        }
        self.failures += 1;
        if self.failures >= 5 {
            let seconds = 1_u64 << (self.failures - 5).min(10);
            self.locked_until = Some(now + Duration::from_secs(seconds.min(900)));
        }
    }

    /// Makes a code, in place of the one before it.
    pub(super) fn issue_code(
        &mut self,
        purpose: Purpose,
        attribute: &str,
        value: Option<String>,
        expires: SystemTime,
    ) -> String {
        let text = ids::code();
        let code = Code {
            text: text.clone(),
            attribute: attribute.to_owned(),
            value,
            expires,
            failures: 0,
        };
        self.codes.insert(purpose, code);
        text
    }

    pub(super) fn try_code(&mut self, purpose: &Purpose, text: &str, now: SystemTime) -> Fit {
        let Some(code) = self.codes.get_mut(purpose) else {
            return Fit::Expired;
        };
        if code.failures >= CODE_ATTEMPTS {
            return Fit::TooOften;
        }
        if now >= code.expires {
            return Fit::Expired;
        }
        if code.text != text {
            code.failures += 1;
            return Fit::Wrong;
        }
        Fit::Right(code.clone())
    }

    pub(super) fn forget_code(&mut self, purpose: &Purpose) {
        self.codes.remove(purpose);
    }

    pub(super) fn snapshot(&self) -> Value {
        let mut factors = json!({"authenticator": self.factors.authenticator.is_some()});
        self.factors.render_into(&mut factors);
        json!({
            "factors": factors,
            "groups": self.groups,
            "attributes": self.attributes,
            "codes": self.codes.iter().map(|(purpose, code)| (format!("{purpose:?}"), json!(code.text))).collect::<Map<_, _>>(),
            "created": ids::timestamp(self.created),
            "enabled": self.enabled,
            "modified": ids::timestamp(self.modified),
            "password": self.password.as_ref().map(Digest::fingerprint),
            "status": self.status.name(),
            "sub": self.sub,
        })
    }
}

//! The account: the one place where state lives, with its clock and its pace.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// How long the embedded AWS takes for what AWS takes seconds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// As AWS does: seconds.
    Real,
    /// Tens of milliseconds: every wait of a playbook is exercised, none is felt.
    #[default]
    Fast,
    /// Everything takes effect at once.
    None,
}

impl Pace {
    /// What AWS's `real` duration is at this pace.
    #[must_use]
    pub fn scale(self, real: Duration) -> Duration {
        match self {
            Self::Real => real,
            Self::Fast => real / 100,
            Self::None => Duration::ZERO,
        }
    }
}

/// A word that is no pace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pace: write `real`, `fast` or `none`")]
pub struct UnknownPace(String);

impl FromStr for Pace {
    type Err = UnknownPace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "real" => Ok(Self::Real),
            "fast" => Ok(Self::Fast),
            "none" => Ok(Self::None),
            other => Err(UnknownPace(other.to_owned())),
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Real => "real",
            Self::Fast => "fast",
            Self::None => "none",
        })
    }
}

/// Everything that exists in the account.
#[derive(Debug, Default)]
pub struct State {
    /// Temporary credentials; not resources, so no snapshot holds them.
    pub sts: super::sts::State,
    /// Roles and policies.
    pub iam: super::iam::State,
    /// Log groups, streams and events.
    pub logs: super::logs::State,
    /// Functions; their processes live elsewhere.
    pub lambda: super::lambda::State,
    /// User pools, and the mail that they have sent.
    pub cognito: super::cognito::State,
    /// Tables and their items.
    pub dynamodb: super::dynamodb::State,
    /// Buckets and objects.
    pub s3: super::s3::State,
    /// Stacks.
    pub cloudformation: super::cloudformation::State,
}

/// The account and what surrounds it.
#[derive(Debug)]
pub struct World {
    /// Twelve digits.
    pub account_id: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// How fast things happen.
    pub pace: Pace,
    /// `http://127.0.0.1:PORT`, where this AWS answers.
    pub endpoint_url: String,
    state: Mutex<State>,
}

impl World {
    /// An empty account.
    #[must_use]
    pub fn new(account_id: String, region: String, pace: Pace, endpoint_url: String) -> Self {
        Self { account_id, region, pace, endpoint_url, state: Mutex::default() }
    }

    /// The state, locked; never held across an `await`.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every resource in the account, in an order and a form that two calls can be compared by.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        let state = self.state();
        json!({
            "account": self.account_id,
            "region": self.region,
            "cloudformation": state.cloudformation.snapshot(),
            "dynamodb": state.dynamodb.snapshot(self.now()),
            "cognito-idp": state.cognito.snapshot(),
            "iam": state.iam.snapshot(),
            "lambda": state.lambda.snapshot(),
            "logs": state.logs.snapshot(),
            "s3": state.s3.snapshot(),
        })
    }

    /// The time that this AWS goes by.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_read_as_it_is_written() {
        for pace in [Pace::Real, Pace::Fast, Pace::None] {
            assert_eq!(pace.to_string().parse(), Ok(pace));
        }
        let unknown = "slow".parse::<Pace>().expect_err("no pace").to_string();
        assert_eq!(unknown, "`slow` is no pace: write `real`, `fast` or `none`");
    }

    #[test]
    fn seconds_become_what_the_pace_makes_of_them() {
        let second = Duration::from_secs(1);
        assert_eq!(Pace::Real.scale(second), second);
        assert_eq!(Pace::Fast.scale(second), Duration::from_millis(10));
        assert_eq!(Pace::None.scale(second), Duration::ZERO);
    }

    #[test]
    fn an_empty_account_has_a_picture() {
        let world = World::new("1".into(), "eu-west-1".into(), Pace::None, "http://x".into());
        let picture = world.snapshot();
        assert_eq!(picture, world.snapshot());
        assert_eq!(picture["logs"], json!({}));
        world.state().logs.ensure_stream("g", "s", world.now());
        assert_ne!(picture, world.snapshot());
    }
}

//! What can happen to a request, and to the program that sent it.

use serde::Serialize;

use engine::event::Effect;
use local_aws::protocol::{AwsError, Protocol};

/// How often the SDK sends a request before it gives up.
const ATTEMPTS: usize = 4;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The program is killed before the request takes effect.
    KilledBefore,
    /// The program is killed after the effect, before the reply.
    KilledAfter,
    /// The program is killed when it has the reply, before it writes anything of it to its journal.
    KilledReplied,
    /// The program is killed after the effect, and so is the clean-up that follows.
    KilledTwice,
    /// A server error, and no effect.
    Error,
    /// A server error, although there was an effect.
    ErrorAfter,
    /// A server error to every attempt, although the first had an effect.
    Outage,
    /// The effect, and a connection that breaks before the reply.
    LostReply,
    /// The effect, a connection that breaks before the reply, and a look afterwards that is throttled at every attempt.
    LostBlind,
    /// The effect, and a connection that breaks after the head of the reply.
    CutReply,
    /// The effect, and no reply within the time-out.
    Hang,
    /// Throttled once.
    Throttled,
    /// Throttled at every attempt.
    ThrottledOn,
    /// Somebody else makes the same thing first.
    Taken,
}

impl Fault {
    /// Every one, in the order of the table.
    pub const ALL: [Self; 14] = [
        Self::KilledBefore,
        Self::KilledAfter,
        Self::KilledReplied,
        Self::KilledTwice,
        Self::Error,
        Self::ErrorAfter,
        Self::Outage,
        Self::LostReply,
        Self::LostBlind,
        Self::CutReply,
        Self::Hang,
        Self::Throttled,
        Self::ThrottledOn,
        Self::Taken,
    ];

    /// What happens, in words that follow the name of an operation.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::KilledBefore => "killed before its effect",
            Self::KilledAfter => "killed after its effect",
            Self::KilledReplied => "killed after its reply, before the journal",
            Self::KilledTwice => "killed, and its clean-up too",
            Self::Error => "HTTP 500, no effect",
            Self::ErrorAfter => "HTTP 500 after its effect",
            Self::Outage => "HTTP 500 to every attempt",
            Self::LostReply => "reply lost after its effect",
            Self::LostBlind => "reply lost, the look after it throttled",
            Self::CutReply => "reply cut after its head",
            Self::Hang => "no reply in time",
            Self::Throttled => "throttled once",
            Self::ThrottledOn => "throttled at every attempt",
            Self::Taken => "name taken just before",
        }
    }

    /// Whether the program is killed.
    #[must_use]
    pub fn kills(self) -> bool {
        matches!(
            self,
            Self::KilledBefore | Self::KilledAfter | Self::KilledReplied | Self::KilledTwice
        )
    }

    /// How many of the requests that follow are refused as well.
    pub(super) fn refusals(self) -> usize {
        match self {
            Self::Outage | Self::ThrottledOn => ATTEMPTS - 1,
            Self::LostBlind => ATTEMPTS,
            _ => 0,
        }
    }

    /// Whether what follows is refused where it is the first look that the program takes, rather than the same again.
    pub(super) fn blinds(self) -> bool {
        self == Self::LostBlind
    }

    /// Whether it can happen to such an operation: a look has no effect that another look would have to find.
    pub(super) fn befalls(self, operation: &str) -> bool {
        !self.blinds() || Effect::of(operation) != Effect::Read
    }

    /// What a request is refused with instead of being seen by its service, if it is.
    pub(super) fn refusal(self, protocol: Protocol) -> Option<AwsError> {
        match self {
            Self::Error | Self::Outage | Self::ErrorAfter => Some(server_error()),
            Self::Throttled | Self::ThrottledOn | Self::LostBlind => Some(throttling(protocol)),
            _ => None,
        }
    }
}

fn server_error() -> AwsError {
    AwsError::new(500, "InternalFailure", "chaos: the server has failed")
}

/// Every protocol has its own word for it.
fn throttling(protocol: Protocol) -> AwsError {
    let (status, code) = match protocol {
        Protocol::Query { .. } => (400, "Throttling"),
        Protocol::Json10 | Protocol::Json11 => (400, "ThrottlingException"),
        Protocol::RestJson => (429, "TooManyRequestsException"),
        Protocol::RestXml => (503, "SlowDown"),
    };
    AwsError::new(status, code, "chaos: Rate exceeded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_an_effect_needs_a_look() {
        assert!(Fault::LostBlind.befalls("CreateRole") && Fault::LostReply.befalls("GetRole"));
        assert!(!Fault::LostBlind.befalls("AdminGetUser"));
    }

    #[test]
    fn every_fault_has_words_of_its_own() {
        let mut words: Vec<_> = Fault::ALL.iter().map(|fault| fault.words()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Fault::ALL.len());
    }

    #[test]
    fn a_request_that_is_throttled_on_is_refused_as_often_as_the_sdk_sends_it() {
        assert_eq!(Fault::ThrottledOn.refusals() + 1, ATTEMPTS);
        assert_eq!(Fault::Throttled.refusals(), 0);
        let refusal = Fault::Throttled.refusal(Protocol::RestJson).expect("a refusal");
        assert_eq!((refusal.status, refusal.code.as_str()), (429, "TooManyRequestsException"));
        assert_eq!(Fault::LostReply.refusal(Protocol::Json11), None);
    }
}

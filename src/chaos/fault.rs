//! What can happen to a request, and to the program that sent it.

use serde::Serialize;

use super::injector::Point;
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
    /// Somebody else makes the same thing first, and every attempt is lost before its effect.
    TakenLost,
    /// The program is killed while the request is under way, which has its effect some time later.
    InFlight,
    /// No reply within the time-out, and the effect after it; the next attempt passes.
    GivenUp,
    /// The connection breaks, and the effect comes some time later; the next attempt passes.
    Overtaken,
    /// The request arrives twice, and the second reply is the one that counts.
    Twice,
    /// A page of a proxy's with status 200, and no effect.
    PageBefore,
    /// The effect, and a page of a proxy's with status 200.
    PageAfter,
    /// The program is killed after the effect, and nothing shows its tags any more.
    Untagged,
    /// The program is killed after the effect, and its clock and AWS's are hours apart.
    ClockOff,
    /// A second run of the same playbook comes and goes just before.
    Overlapping,
}

impl Fault {
    /// Every one, in the order of the table.
    pub const ALL: [Self; 24] = [
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
        Self::TakenLost,
        Self::InFlight,
        Self::GivenUp,
        Self::Overtaken,
        Self::Twice,
        Self::PageBefore,
        Self::PageAfter,
        Self::Untagged,
        Self::ClockOff,
        Self::Overlapping,
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
            Self::TakenLost => "name taken just before, every attempt lost",
            Self::InFlight => "killed while under way, effect later",
            Self::GivenUp => "no reply in time, effect later",
            Self::Overtaken => "connection lost, effect later",
            Self::Twice => "delivered twice, second reply",
            Self::PageBefore => "a proxy's page, no effect",
            Self::PageAfter => "a proxy's page after its effect",
            Self::Untagged => "killed after its effect, tags not shown",
            Self::ClockOff => "killed after its effect, clocks apart",
            Self::Overlapping => "a second run just before",
        }
    }

    /// Whether the program is killed.
    #[must_use]
    pub fn kills(self) -> bool {
        matches!(
            self,
            Self::KilledBefore
                | Self::KilledAfter
                | Self::KilledReplied
                | Self::KilledTwice
                | Self::InFlight
                | Self::Untagged
                | Self::ClockOff
        )
    }

    /// How many of the requests that follow are refused as well.
    pub(super) fn refusals(self) -> usize {
        match self {
            Self::Outage | Self::ThrottledOn | Self::TakenLost => ATTEMPTS - 1,
            Self::LostBlind => ATTEMPTS,
            _ => 0,
        }
    }

    /// Whether what follows is refused where it is the first look that the program takes, rather than the same again.
    pub(super) fn blinds(self) -> bool {
        self == Self::LostBlind
    }

    /// Whether it can happen to such a request: a look has no effect that another look would have to find, and only
    /// something with a name can be taken.
    pub(super) fn befalls(self, point: &Point) -> bool {
        match self {
            Self::Taken | Self::TakenLost => point.makes,
            Self::LostBlind
            | Self::InFlight
            | Self::GivenUp
            | Self::Overtaken
            | Self::Twice
            | Self::PageAfter
            | Self::Untagged
            | Self::ClockOff
            | Self::Overlapping => Effect::of(&point.operation) != Effect::Read,
            _ => true,
        }
    }

    /// Whether nothing may be left to tell whose something is, so that it is right to leave it and to list it.
    #[must_use]
    pub fn leaves_doubt(self) -> bool {
        matches!(self, Self::TakenLost | Self::Untagged)
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
        let point = |operation: &str| Point {
            index: 1,
            service: "iam".to_owned(),
            operation: operation.to_owned(),
            occurrence: 1,
            makes: false,
        };
        assert!(Fault::LostBlind.befalls(&point("CreateRole")));
        assert!(Fault::LostReply.befalls(&point("GetRole")));
        assert!(!Fault::InFlight.befalls(&point("AdminGetUser")));
        assert!(!Fault::Taken.befalls(&point("CreateRole")), "it has no name of its own");
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

//! How long to look for something before it is believed not to be there.

use std::time::Duration;

use aws::CallTimeouts;
use jiff::Timestamp;

use crate::journal::{Entry, EntryState};
use crate::step::LostAttempt;

/// How much later than it was given up what was sent may still have its effect.
const LONGEST_AFTERMATH: Duration = Duration::from_secs(2);

/// How long a server on this machine works at a call, unless somebody has said otherwise.
const USUAL_NEARBY: Duration = Duration::from_secs(3);

/// How long after its intent the last attempt of a call may begin: no step tries as long.
const LONGEST_RETRIES: Duration = Duration::from_secs(600);

/// How long to look for something before it is believed not to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// How late what was created is seen.
    pub visibility: Duration,
    /// How long what was sent may be under way, its effect included.
    pub under_way: Duration,
    /// How much of that comes after its end as the program saw it.
    pub aftermath: Duration,
    /// Whether the calls were this process's own, so that those whose end is written down have ended now.
    pub own: bool,
}

impl Windows {
    /// Those of a run that cleans up after itself. `attempt` is how long each attempt of a call is given.
    #[must_use]
    pub fn of_own_calls(on_this_machine: bool, attempt: Duration) -> Self {
        Self { own: true, ..Self::of_dead_calls(on_this_machine, attempt) }
    }

    /// Those of a clean-up after a process that is gone.
    #[must_use]
    pub fn of_dead_calls(on_this_machine: bool, attempt: Duration) -> Self {
        let is_usual = attempt == CallTimeouts::default().attempt;
        let attempt = if on_this_machine && is_usual { USUAL_NEARBY } else { attempt };
        let visibility = Duration::from_millis(if on_this_machine { 200 } else { 10_000 });
        let aftermath = attempt.min(LONGEST_AFTERMATH);
        Self { visibility, under_way: attempt + aftermath, aftermath, own: false }
    }

    /// How long from now on an attempt may have its effect yet that got no answer while another one did. Where clocks
    /// disagree, as long as an attempt that begins now.
    pub(super) fn of_lost_attempt(&self, entry: &Entry, now: Timestamp) -> Duration {
        let Some(LostAttempt { began, ended }) = entry.under_way else {
            return Duration::ZERO;
        };
        let left = |since: Timestamp, whole: Duration| {
            let age = Duration::try_from(now.duration_since(since));
            age.map_or(whole, |age| whole.saturating_sub(age))
        };
        left(began, self.under_way).max(left(ended, self.aftermath))
    }

    /// How long from now on to look for what an entry stands for. `age` is how long ago this process created it,
    /// `cleaning` how long the clean-up has gone on.
    pub(super) fn of(
        &self,
        entry: &Entry,
        age: Duration,
        now: Timestamp,
        cleaning: Duration,
    ) -> Duration {
        match entry.state {
            EntryState::Done => self.visibility.saturating_sub(age),
            EntryState::Unknown if self.own => self.visibility.max(LONGEST_AFTERMATH),
            EntryState::Open | EntryState::Unknown => {
                // What a process sent before it died was sent before anybody could clean up after it.
                let after_death = self.under_way.saturating_sub(cleaning);
                self.visibility.max(after_death.min(self.since_intent(entry, now)))
            }
            EntryState::Closed | EntryState::Failed => self.visibility,
        }
    }

    /// How long from now on a call that was intended then may be under way at most. Where clocks disagree, nothing is
    /// known.
    fn since_intent(&self, entry: &Entry, now: Timestamp) -> Duration {
        let longest = LONGEST_RETRIES + self.under_way;
        let age = entry.at.and_then(|at| Duration::try_from(now.duration_since(at)).ok());
        age.map_or(longest, |age| longest.saturating_sub(age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTENDED: &str = "2026-11-23T10:00:00Z";

    fn window(windows: Windows, state: EntryState, now: &str, cleaning: u64) -> u128 {
        let entry = Entry {
            at: INTENDED.parse().ok(),
            state,
            ..super::super::order::tests::entry(1, serde_json::Value::Null, &[])
        };
        let now = now.parse().expect("a time");
        windows.of(&entry, Duration::ZERO, now, Duration::from_secs(cleaning)).as_millis()
    }

    #[test]
    fn what_nobody_saw_the_end_of_may_be_under_way() {
        let aws = Windows::of_dead_calls(false, Duration::from_secs(60));
        let soon = "2026-11-23T10:00:05Z";
        assert_eq!(window(aws, EntryState::Open, soon, 0), 62_000);
        assert_eq!(window(aws, EntryState::Unknown, soon, 0), 62_000);
        assert_eq!(window(aws, EntryState::Open, soon, 50), 12_000, "the clean-up has gone on");
        assert_eq!(window(aws, EntryState::Open, soon, 100), 10_000, "new things are seen late");
        // The run may have died a moment ago, having tried for minutes.
        assert_eq!(window(aws, EntryState::Open, "2026-11-23T10:09:00Z", 0), 62_000);
        assert_eq!(window(aws, EntryState::Open, "2026-11-23T10:10:40Z", 0), 22_000);
        assert_eq!(window(aws, EntryState::Open, "2026-11-24T10:00:00Z", 0), 10_000);
        assert_eq!(
            window(aws, EntryState::Open, "2026-11-23T09:00:00Z", 0),
            62_000,
            "clocks differ"
        );
    }

    #[test]
    fn an_attempt_without_an_answer_is_outlasted_whatever_became_of_the_others() {
        let lost = |began: &str, ended: &str| Entry {
            under_way: Some(LostAttempt {
                began: began.parse().expect("a time"),
                ended: ended.parse().expect("a time"),
            }),
            ..super::super::order::tests::entry(1, serde_json::Value::Null, &[])
        };
        let aws = Windows::of_own_calls(false, Duration::from_secs(60));
        let here = Windows::of_own_calls(true, Duration::from_secs(60));
        let broken = lost("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.100Z");
        let given_up = lost("2026-11-23T10:00:00Z", "2026-11-23T10:01:00Z");
        for (windows, entry, now, expected) in [
            (aws, &broken, "2026-11-23T10:00:01Z", 61_000),
            (here, &broken, "2026-11-23T10:00:01Z", 4_000),
            (aws, &given_up, "2026-11-23T10:01:00Z", 2_000),
            (here, &given_up, "2026-11-23T10:01:00.500Z", 1_500),
            (aws, &broken, "2026-11-24T10:00:00Z", 0),
            (aws, &broken, "2026-11-22T10:00:00Z", 62_000),
        ] {
            let left = windows.of_lost_attempt(entry, now.parse().expect("a time"));
            assert_eq!(left.as_millis(), expected, "{now}");
        }
        let answered = super::super::order::tests::entry(1, serde_json::Value::Null, &[]);
        assert_eq!(aws.of_lost_attempt(&answered, Timestamp::now()), Duration::ZERO);
    }

    #[test]
    fn what_has_ended_is_not_waited_for() {
        let soon = "2026-11-23T10:00:05Z";
        for windows in [
            Windows::of_dead_calls(true, Duration::from_secs(60)),
            Windows::of_own_calls(true, Duration::from_secs(60)),
        ] {
            assert_eq!(window(windows, EntryState::Done, soon, 0), 200);
            assert_eq!(window(windows, EntryState::Failed, soon, 0), 200);
        }
        let own = Windows::of_own_calls(true, Duration::from_secs(60));
        assert_eq!(window(own, EntryState::Unknown, soon, 0), 2_000, "its process saw it end");
    }

    #[test]
    fn nearby_it_is_as_long_as_somebody_says() {
        let soon = "2026-11-23T10:00:05Z";
        for (attempt, expected) in [(60_000, 5_000), (500, 1_000), (10_000, 12_000)] {
            let windows = Windows::of_dead_calls(true, Duration::from_millis(attempt));
            assert_eq!(window(windows, EntryState::Open, soon, 0), expected, "{attempt}");
        }
    }
}

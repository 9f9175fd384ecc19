//! Rates and crons, and the task of a rule that has one.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::{State, deliver, rule_arn};
use crate::account::Account;
use crate::ids::uuid;
use crate::protocol::timestamp::iso8601;

/// When a rule fires.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Schedule {
    Rate(Duration),
    Cron(Box<Cron>),
}

/// The fields of a cron expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cron {
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    day: Day,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
}

/// Which days it is.
#[derive(Debug, Clone, PartialEq)]
enum Day {
    /// Days of the month.
    OfMonth(BTreeSet<i16>),
    /// The last day of the month.
    Last,
    /// Days of the week; Sunday is 1.
    OfWeek(BTreeSet<i16>),
    /// The so many-th such day of the month.
    Nth(i16, i16),
    /// The last such day of the month.
    LastOfWeek(i16),
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Schedule {
    /// `rate(5 minutes)` or `cron(0 12 * * ? *)`; nothing where it is neither.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(rate) = text.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')) {
            let (number, unit) = rate.split_once(' ')?;
            let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
            // AWS wants the right number of the noun.
            let unit = if number == 1 { unit } else { unit.strip_suffix('s')? };
            let seconds = match unit {
                "minute" => 60,
                "hour" => 3600,
                "day" => 86_400,
                _ => return None,
            };
            return Some(Self::Rate(Duration::from_secs(number.checked_mul(seconds)?)));
        }
        let fields = text.strip_prefix("cron(")?.strip_suffix(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let [minutes, hours, day, month, weekday, year] = fields.as_slice() else { return None };
        let day = match (*day, *weekday) {
            (day, "?") => day_of_month(day)?,
            ("?", weekday) => day_of_week(weekday)?,
            _ => return None,
        };
        Some(Self::Cron(Box::new(Cron {
            minutes: numbers(minutes, 0, 59, &[])?,
            hours: numbers(hours, 0, 23, &[])?,
            day,
            months: numbers(month, 1, 12, &MONTHS)?,
            years: numbers(year, 1970, 2199, &[])?,
        })))
    }

    /// When it fires next; nothing where it never does again.
    fn next(&self, now: SystemTime) -> Option<SystemTime> {
        match self {
            Self::Rate(rate) => Some(now + *rate),
            Self::Cron(cron) => {
                let now = Timestamp::try_from(now).ok()?.to_zoned(TimeZone::UTC).datetime();
                let next = cron.next(now)?.to_zoned(TimeZone::UTC).ok()?;
                Some(next.timestamp().into())
            }
        }
    }
}

fn day_of_month(text: &str) -> Option<Day> {
    if text == "L" { Some(Day::Last) } else { numbers(text, 1, 31, &[]).map(Day::OfMonth) }
}

fn day_of_week(text: &str) -> Option<Day> {
    let one = |text: &str| numbers(text, 1, 7, &DAYS)?.into_iter().next();
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth))?;
        return Some(Day::Nth(one(day)?, nth));
    }
    if let Some(day) = text.strip_suffix('L').filter(|day| !day.is_empty()) {
        return Some(Day::LastOfWeek(one(day)?));
    }
    numbers(text, 1, 7, &DAYS).map(Day::OfWeek)
}

/// A list of numbers, ranges and steps; names stand for numbers from the least one on.
fn numbers(text: &str, least: i16, most: i16, names: &[&str]) -> Option<BTreeSet<i16>> {
    let mut found = BTreeSet::new();
    let number = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = named.and_then(|place| i16::try_from(place).ok()).map(|place| place + least);
        named.or_else(|| text.parse().ok()).filter(|number| (least..=most).contains(number))
    };
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((first, last)) => (number(first)?, number(last)?),
            None if part.contains('/') => (number(range)?, most),
            None => (number(range)?, number(range)?),
        };
        if first <= last {
            found.extend((first..=last).step_by(step));
        } else {
            // From Friday to Monday, for one.
            found.extend((first..=most).chain(least..=last).step_by(step));
        }
    }
    Some(found)
}

impl Cron {
    fn next(&self, now: DateTime) -> Option<DateTime> {
        /// As far ahead as a day can be that comes again.
        const DAYS_AHEAD: usize = 366 * 9;
        let mut date = now.date();
        for _ in 0..DAYS_AHEAD {
            if self.is_on(date) {
                let times = self
                    .hours
                    .iter()
                    .flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)));
                let mut times = times.filter_map(|(hour, minute)| {
                    let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
                    Some(date.at(hour, minute, 0, 0))
                });
                if let Some(time) = times.find(|time| *time > now) {
                    return Some(time);
                }
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }

    fn is_on(&self, date: Date) -> bool {
        let (day, month) = (i16::from(date.day()), i16::from(date.month()));
        let week = i16::from(date.weekday().to_sunday_one_offset());
        let left = i16::from(date.days_in_month()) - day;
        self.years.contains(&date.year())
            && self.months.contains(&month)
            && match &self.day {
                Day::OfMonth(days) => days.contains(&day),
                Day::Last => left == 0,
                Day::OfWeek(days) => days.contains(&week),
                Day::Nth(wanted, nth) => week == *wanted && (day - 1) / 7 + 1 == *nth,
                Day::LastOfWeek(wanted) => week == *wanted && left < 7,
            }
    }
}

/// Starts the task of a rule's schedule.
pub(super) fn start(account: &Account, key: (String, String)) {
    let at = account.clone();
    let subscribed = account.state::<State>().rules.get(&key).map(|rule| rule.changes.subscribe());
    let Some(mut changes) = subscribed else { return };
    account.spawn(async move {
        loop {
            changes.mark_unchanged();
            let next = at.state::<State>().rules.get(&key).and_then(|rule| {
                let (_, schedule) = rule.schedule.as_ref().filter(|_| rule.is_enabled)?;
                schedule.next(at.now())
            });
            let pause = next.map(|next| next.duration_since(at.now()).unwrap_or_default());
            let fires = async {
                match pause {
                    Some(pause) => at.clock().sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = fires => fire(&at, &key),
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    });
}

fn fire(account: &Account, key: &(String, String)) {
    let arn = rule_arn(account, &key.0, &key.1);
    let event = json!({
        "version": "0",
        "id": uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account.id,
        "time": iso8601(account.now()),
        "region": account.region,
        "resources": [arn],
        "detail": {},
    });
    let targets: Vec<Value> = {
        let state = account.state::<State>();
        state
            .rules
            .get(key)
            .map(|rule| rule.targets.values().cloned().collect())
            .unwrap_or_default()
    };
    for target in targets {
        deliver::start(account, arn.clone(), target, event.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(expression: &str, now: &str) -> String {
        let schedule = Schedule::parse(expression).expect(expression);
        let now: Timestamp = now.parse().expect(now);
        schedule.next(now.into()).map_or_else(|| "never".to_owned(), iso8601)
    }

    #[test]
    fn schedules_fire_when_they_say() {
        let now = "2026-11-30T21:30:10Z"; // a Monday
        for (expression, next) in [
            ("rate(1 minute)", "2026-11-30T21:31:10Z"),
            ("rate(5 hours)", "2026-12-01T02:30:10Z"),
            ("cron(0 12 * * ? *)", "2026-12-01T12:00:00Z"),
            ("cron(0/15 * * * ? *)", "2026-11-30T21:45:00Z"),
            ("cron(0 18 ? * MON-FRI *)", "2026-12-01T18:00:00Z"),
            ("cron(0 8 1 * ? *)", "2026-12-01T08:00:00Z"),
            ("cron(0 8 L * ? *)", "2026-12-31T08:00:00Z"),
            ("cron(0 9 ? * 2#1 *)", "2026-12-07T09:00:00Z"),
            ("cron(0 9 ? * 6L *)", "2026-12-25T09:00:00Z"),
            ("cron(0 0 29 FEB ? *)", "2028-02-29T00:00:00Z"),
            ("cron(0 0 1 1 ? 2025)", "never"),
        ] {
            assert_eq!(after(expression, now), next, "{expression}");
        }
        for wrong in [
            "rate(1 minutes)",
            "rate(5 minute)",
            "rate(0 minutes)",
            "cron(0 12 * * * *)",
            "cron(0 12 * *)",
            "cron(61 12 * * ? *)",
            "every day",
            "rate(5)",
        ] {
            assert_eq!(Schedule::parse(wrong), None, "{wrong}");
        }
    }
}

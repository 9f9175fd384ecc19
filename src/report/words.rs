//! Numbers and durations as people read them.

use engine::event::{Note, Reason};
use unicode_width::UnicodeWidthStr;

/// Such as `1 call`, `3 calls`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A run by its playbook, and by its cell where there is a matrix.
pub(super) fn run_name(playbook: &str, cell: Option<&str>) -> String {
    match cell {
        Some(cell) => format!("{playbook} ({cell})"),
        None => playbook.to_owned(),
    }
}

/// Such as `0.31s`, `12.4s`, `2m 05s`.
pub(super) fn duration(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..10 => format!("{seconds}.{:02}s", millis % 1000 / 10),
        10..60 => format!("{seconds}.{}s", millis % 1000 / 100),
        _ => format!("{}m {:02}s", seconds / 60, seconds % 60),
    }
}

/// Such as `5 min ago`.
pub(crate) fn ago(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "min"),
        3_600..86_400 => (seconds / 3_600, "h"),
        86_400..172_800 => (1, "day"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit} ago")
}

/// Pads to a width in columns.
pub(super) fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// A question of a dry run with its answer, as far as that is known.
pub(super) fn answered(prompt: &str, answer: &str, default: bool) -> String {
    let remark = if default { " (the default: nobody would be asked)" } else { "" };
    format!("{prompt} {answer}{remark}")
}

/// Why something was not removed.
pub(super) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::StillNeeded => "something that was made from it is still there".to_owned(),
        Reason::Interrupted => "the clean-up was interrupted".to_owned(),
        Reason::Stopped => "the run was stopped before its clean-up was over".to_owned(),
        Reason::ToBeLeft => "it was to be left there".to_owned(),
        Reason::ChangedByAnotherRun { run } => {
            format!("run {run} was changing it too, so nobody knows what was there before either")
        }
        Reason::Found { text } => text.clone(),
        Reason::Failed { message, .. } => message.clone(),
    }
}

/// What a dry run knows of a step beside its calls.
pub(super) fn note(note: &Note) -> String {
    match note {
        Note::OnlyIf { condition } => format!("only if {condition}"),
        Note::ForEach { list } => format!("for each of {list}"),
        Note::RepeatsUntil { condition } => format!("repeats until {condition}"),
        Note::AtTheSameTime { most: None } => "these run at the same time:".to_owned(),
        Note::AtTheSameTime { most: Some(most) } => {
            format!("these run at the same time, {most} at once:")
        }
        Note::PollsUntil { condition } => format!("polls until {condition}"),
        Note::Retries { on, attempts } => {
            let on = if on.is_empty() { "any error".to_owned() } else { on.join(", ") };
            let attempts = attempts.as_deref().unwrap_or("several");
            format!("tries again on {on}, {attempts} times in all")
        }
        Note::Rescues => "only if one of these fails:".to_owned(),
        Note::RescuesSurely => "then, since one of these fails:".to_owned(),
        Note::WouldFail { message } => format!("would fail: {message}"),
        Note::Unplannable { calls, unknown } => {
            format!("calls {} with {}", calls.join(", "), unknown.join(", "))
        }
        Note::WouldCreate { resource, keep } => {
            let end = if *keep { "which stays" } else { "which the clean-up takes away" };
            format!("makes {} {}, {end}", resource.kind, resource.name)
        }
        Note::WouldRemove { resource } => format!("takes away {} {}", resource.kind, resource.name),
        Note::CleansUp => "clean-up, as listed at the end".to_owned(),
    }
}

/// What becomes of resources that are not cleaned up where no account outlives the run.
pub(super) fn left_behind(count: usize, planning: bool) -> String {
    let what = counted(count, "resource");
    if planning {
        return format!("{what} would be left there");
    }
    let was = if count == 1 { "was" } else { "were" };
    format!("{what} {was} not removed, and ended with the embedded AWS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_or_so() {
        let shown: Vec<_> = [0, 9, 314, 9_999, 12_449, 125_000].into_iter().map(duration).collect();
        assert_eq!(shown, ["0.00s", "0.00s", "0.31s", "9.99s", "12.4s", "2m 05s"]);
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(1, "call"), "1 call");
        assert_eq!(counted(0, "call"), "0 calls");
    }

    #[test]
    fn padding_counts_characters() {
        assert_eq!(padded("äö", 4), "äö  ");
        assert_eq!(padded("long", 2), "long");
    }

    #[test]
    fn ages_are_told_in_the_largest_unit() {
        let ages = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 172_800, 864_000];
        let told = ages.map(ago);
        let expected = [
            "0 s ago",
            "59 s ago",
            "1 min ago",
            "59 min ago",
            "1 h ago",
            "23 h ago",
            "1 day ago",
            "2 days ago",
            "10 days ago",
        ];
        assert_eq!(told, expected);
    }
}

//! Numbers and durations as people read them.

use unicode_width::UnicodeWidthStr;

/// Such as `1 call`, `3 calls`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
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
}

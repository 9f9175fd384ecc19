//! Wildcards in policy documents.

/// Actions ignore case and may hold `*` for any text and `?` for one character.
pub(super) fn matches(pattern: &str, action: &str) -> bool {
    let pattern = pattern.to_lowercase();
    let (pattern, action) = (pattern.as_bytes(), action.as_bytes());
    // Where to go on when the text after the last star did not fit: one character further.
    let mut resume: Option<(usize, usize)> = None;
    let (mut at, mut position) = (0, 0);
    while position < action.len() {
        match pattern.get(at) {
            Some(b'*') => {
                resume = Some((at + 1, position));
                at += 1;
            }
            Some(expected) if *expected == b'?' || action.get(position) == Some(expected) => {
                at += 1;
                position += 1;
            }
            _ => match resume {
                Some((after_star, from)) => {
                    resume = Some((after_star, from + 1));
                    at = after_star;
                    position = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_any_text() {
        for (pattern, fits) in [
            ("*", true),
            ("sts:*", true),
            ("sts:Assume*", true),
            ("*Role", true),
            ("sts:assumerol?", true),
            ("**e", true),
            ("s*:*e*", true),
            ("sts:assumerole?", false),
            ("*x", false),
            ("", false),
        ] {
            assert_eq!(matches(pattern, "sts:assumerole"), fits, "{pattern}");
        }
    }
}

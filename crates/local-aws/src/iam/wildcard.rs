//! Wildcards in policy documents.

/// Whether an action is like a pattern; neither minds small or capital letters.
pub(super) fn is_action_like(pattern: &str, action: &str) -> bool {
    is_like(&pattern.to_lowercase(), &action.to_lowercase())
}

/// Whether an ARN is like a pattern: each of its six parts on its own.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
pub(crate) fn is_arn_like(pattern: &str, arn: &str) -> bool {
    let (patterns, parts) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    patterns.clone().count() == parts.clone().count()
        && patterns.zip(parts).all(|(pattern, part)| is_like(pattern, part))
}

/// Whether a text is like a pattern, in which `*` is any text and `?` one character.
pub(super) fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    // Where to go on when the text after the last star did not fit: one character further.
    let mut resume: Option<(usize, usize)> = None;
    let (mut at, mut position) = (0, 0);
    while position < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                resume = Some((at + 1, position));
                at += 1;
            }
            Some(expected) if *expected == b'?' || text.get(position) == Some(expected) => {
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
            ("STS:assume*", true),
            ("*Role", true),
            ("sts:assumerol?", true),
            ("**e", true),
            ("s*:*e*", true),
            ("sts:assumerole?", false),
            ("*x", false),
            ("", false),
        ] {
            assert_eq!(is_action_like(pattern, "sts:assumerole"), fits, "{pattern}");
        }
    }

    #[test]
    fn names_mind_their_letters() {
        assert!(is_like("arn:aws:sqs:*:jobs", "arn:aws:sqs:eu-west-1:1:jobs"));
        assert!(!is_like("jobs", "Jobs"));
    }

    #[test]
    fn no_star_of_an_arn_reaches_into_the_next_part() {
        let arn = "arn:aws:sns:eu-west-1:123456789012:topic";
        for (pattern, fits) in [
            (arn, true),
            ("arn:aws:sns:*:123456789012:t?pic", true),
            ("arn:aws:sns:*:topic", false),
            ("arn:aws:sns:eu-west-1:123456789012:Topic", false),
            ("*", false),
        ] {
            assert_eq!(is_arn_like(pattern, arn), fits, "{pattern}");
        }
    }
}

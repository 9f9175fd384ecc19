//! The checks that AWS makes of a request's members before a service looks at it, in AWS's wording.

use std::fmt::Display;

use super::AwsError;

/// Collects what is wrong with a request: AWS reports everything in one go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constraints {
    violations: Vec<String>,
}

impl Constraints {
    /// Nothing wrong so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The length of a text in characters.
    #[must_use]
    pub fn length(self, member: &str, value: &str, min: usize, max: usize) -> Self {
        let length = value.chars().count();
        if length < min {
            self.violate(member, value, &format!("have length greater than or equal to {min}"))
        } else if length > max {
            self.violate(member, value, &format!("have length less than or equal to {max}"))
        } else {
            self
        }
    }

    /// The length of a list or map, which `shown` depicts.
    #[must_use]
    pub fn count(self, member: &str, shown: &str, count: usize, min: usize, max: usize) -> Self {
        if count < min {
            self.violate(member, shown, &format!("have length greater than or equal to {min}"))
        } else if count > max {
            self.violate(member, shown, &format!("have length less than or equal to {max}"))
        } else {
            self
        }
    }

    /// A text's pattern, as AWS's model writes it, and whether the text matches.
    #[must_use]
    pub fn pattern(self, member: &str, value: &str, pattern: &str, matches: bool) -> Self {
        if matches {
            return self;
        }
        self.violate(member, value, &format!("satisfy regular expression pattern: {pattern}"))
    }

    /// A number's bounds.
    #[must_use]
    pub fn range(self, member: &str, value: i64, min: i64, max: i64) -> Self {
        if value < min {
            self.violate(member, value, &format!("have value greater than or equal to {min}"))
        } else if value > max {
            self.violate(member, value, &format!("have value less than or equal to {max}"))
        } else {
            self
        }
    }

    /// An enumeration.
    #[must_use]
    pub fn one_of(self, member: &str, value: &str, allowed: &[&str]) -> Self {
        if allowed.contains(&value) {
            return self;
        }
        self.violate(member, value, &format!("satisfy enum value set: [{}]", allowed.join(", ")))
    }

    /// A member that must be there.
    #[must_use]
    pub fn present(mut self, member: &str, present: bool) -> Self {
        if !present {
            self.violations.push(format!(
                "Value null at '{member}' failed to satisfy constraint: Member must not be null"
            ));
        }
        self
    }

    /// The error, in the service's own code, when anything was wrong.
    pub fn check(self, code: &str) -> Result<(), AwsError> {
        let count = self.violations.len();
        if count == 0 {
            return Ok(());
        }
        let errors = if count == 1 { "error" } else { "errors" };
        let message =
            format!("{count} validation {errors} detected: {}", self.violations.join("; "));
        Err(AwsError::bad_request(code, message))
    }

    fn violate(mut self, member: &str, value: impl Display, constraint: &str) -> Self {
        self.violations.push(format!(
            "Value '{value}' at '{member}' failed to satisfy constraint: Member must {constraint}"
        ));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let error = Constraints::new()
            .length("name", "", 1, 64)
            .length("other", "fine", 1, 64)
            .range("limit", 51, 1, 50)
            .present("role", false)
            .check("ValidationException")
            .expect_err("three errors");
        assert_eq!(
            error.to_string(),
            "ValidationException: 3 validation errors detected: Value '' at 'name' failed to satisfy constraint: \
             Member must have length greater than or equal to 1; Value '51' at 'limit' failed to satisfy constraint: \
             Member must have value less than or equal to 50; Value null at 'role' failed to satisfy constraint: \
             Member must not be null"
        );
    }

    #[test]
    fn nothing_wrong_is_no_error() {
        let checked =
            Constraints::new().one_of("mode", "A", &["A", "B"]).pattern("x", "y", "y", true);
        assert_eq!(checked.check("ValidationException"), Ok(()));
    }
}

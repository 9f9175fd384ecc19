//! How long things take.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How long the embedded AWS takes for what AWS takes seconds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LatencyProfile {
    /// As AWS does: seconds.
    Real,
    /// Tens of milliseconds: every wait of a playbook is exercised, none is felt.
    #[default]
    Fast,
    /// Everything takes effect at once.
    None,
}

impl LatencyProfile {
    /// What becomes of a duration of AWS's.
    #[must_use]
    pub fn scale(self, real: Duration) -> Duration {
        match self {
            Self::Real => real,
            Self::Fast => real / 100,
            Self::None => Duration::ZERO,
        }
    }
}

/// A word that names no latency profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown latency profile `{0}`: expected `real`, `fast` or `none`")]
pub struct UnknownLatencyProfile(String);

impl FromStr for LatencyProfile {
    type Err = UnknownLatencyProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "real" => Ok(Self::Real),
            "fast" => Ok(Self::Fast),
            "none" => Ok(Self::None),
            other => Err(UnknownLatencyProfile(other.to_owned())),
        }
    }
}

impl fmt::Display for LatencyProfile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Real => "real",
            Self::Fast => "fast",
            Self::None => "none",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_as_it_is_written() {
        for profile in [LatencyProfile::Real, LatencyProfile::Fast, LatencyProfile::None] {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        let unknown = "slow".parse::<LatencyProfile>().expect_err("no profile").to_string();
        assert_eq!(unknown, "unknown latency profile `slow`: expected `real`, `fast` or `none`");
    }

    #[test]
    fn durations_are_scaled() {
        let second = Duration::from_secs(1);
        assert_eq!(LatencyProfile::Real.scale(second), second);
        assert_eq!(LatencyProfile::Fast.scale(second), Duration::from_millis(10));
        assert_eq!(LatencyProfile::None.scale(second), Duration::ZERO);
    }
}

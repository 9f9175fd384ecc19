//! The runtimes of Lambda functions: which there are, and which have been deprecated since when.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>

/// Those that functions can be made with.
const CURRENT: &[&str] = &[
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "nodejs24.x",
    "nodejs22.x",
    "java25",
    "java21",
    "java17",
    "java11",
    "java8.al2",
    "dotnet10",
    "dotnet8",
    "ruby3.4",
    "ruby3.3",
    "provided.al2023",
    "provided.al2",
];

/// Those that AWS has deprecated, since when, and what to use instead.
const DEPRECATED: &[(&str, &str, &str)] = &[
    ("python3.10", "2026-10-31", "python3.13"),
    ("python3.9", "2025-12-15", "python3.13"),
    ("python3.8", "2024-10-14", "python3.13"),
    ("python3.7", "2023-12-04", "python3.13"),
    ("python3.6", "2022-07-18", "python3.13"),
    ("python2.7", "2021-07-15", "python3.13"),
    ("nodejs20.x", "2026-04-30", "nodejs22.x"),
    ("nodejs18.x", "2025-09-01", "nodejs22.x"),
    ("nodejs16.x", "2024-06-12", "nodejs22.x"),
    ("nodejs14.x", "2023-12-04", "nodejs22.x"),
    ("nodejs12.x", "2023-03-31", "nodejs22.x"),
    ("nodejs10.x", "2021-07-30", "nodejs22.x"),
    ("nodejs8.10", "2020-03-06", "nodejs22.x"),
    ("nodejs6.10", "2019-08-12", "nodejs22.x"),
    ("nodejs4.3", "2020-03-05", "nodejs22.x"),
    ("java8", "2024-01-08", "java21"),
    ("dotnet7", "2024-05-14", "dotnet8"),
    ("dotnet6", "2024-12-20", "dotnet8"),
    ("dotnet5.0", "2022-05-10", "dotnet8"),
    ("dotnetcore3.1", "2023-04-03", "dotnet8"),
    ("dotnetcore2.1", "2022-01-05", "dotnet8"),
    ("ruby3.2", "2026-03-31", "ruby3.4"),
    ("ruby2.7", "2023-12-07", "ruby3.4"),
    ("ruby2.5", "2021-07-30", "ruby3.4"),
    ("go1.x", "2024-01-08", "provided.al2023"),
    ("provided", "2024-01-08", "provided.al2023"),
];

/// What is known of a runtime.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Runtime {
    Current,
    Deprecated { since: &'static str, instead: &'static str },
    Unknown,
}

pub(super) fn of(name: &str) -> Runtime {
    if CURRENT.contains(&name) {
        return Runtime::Current;
    }
    match DEPRECATED.iter().find(|(old, ..)| *old == name) {
        Some((_, since, instead)) => Runtime::Deprecated { since, instead },
        None => Runtime::Unknown,
    }
}

/// Those that can be meant.
pub(super) fn current() -> impl Iterator<Item = &'static str> {
    CURRENT.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_replaces_a_runtime_is_current() {
        for (old, since, instead) in DEPRECATED {
            assert_eq!(of(instead), Runtime::Current, "{old}");
            assert_eq!(of(old), Runtime::Deprecated { since, instead });
            assert_eq!(since.len(), "2026-10-31".len(), "{old}");
        }
        assert_eq!(of("python4"), Runtime::Unknown);
    }
}

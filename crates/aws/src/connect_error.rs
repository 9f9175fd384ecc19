//! Why there is no client to AWS, and what to do.

/// Why there is no client. Nothing has been called.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No region anywhere.
    #[error("no region is configured")]
    NoRegion,
    /// A region that AWS does not have.
    #[error("there is no AWS region `{region}`")]
    UnknownRegion {
        /// As given.
        region: String,
    },
    /// A profile that nobody has configured.
    #[error("there is no profile `{profile}`")]
    UnknownProfile {
        /// As given.
        profile: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// Configuration files that cannot be read.
    #[error("the AWS configuration cannot be read: {reason}")]
    Configuration {
        /// The SDK's words.
        reason: String,
    },
    /// An endpoint for one service: recovery would look for that service's resources elsewhere.
    #[error(
        "{setting} sends the calls of {service} alone to {url}, and clean-up goes to one endpoint"
    )]
    ServiceEndpoint {
        /// Such as `Lambda`.
        service: &'static str,
        /// Where its calls would go.
        url: String,
        /// Who says so.
        setting: String,
    },
    /// An endpoint that is none. The SDK would pass over it and call AWS.
    #[error("{setting} is no URL: `{url}`")]
    NoUrl {
        /// As given.
        url: String,
        /// Who says so.
        setting: String,
    },
    /// Credentials that are missing or cannot be read.
    #[error("no usable credentials: {reason}")]
    Credentials {
        /// The SDK's words.
        reason: String,
    },
}

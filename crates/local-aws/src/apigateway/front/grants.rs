//! What authorizers have said, for as long as they want it to be kept.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// Kept answers, by what was asked.
#[derive(Debug)]
pub(in crate::apigateway) struct Grants<T>(BTreeMap<String, (SystemTime, T)>);

impl<T> Default for Grants<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> Grants<T> {
    /// What was said and still counts.
    pub(super) fn find(&self, key: &str, now: SystemTime) -> Option<T> {
        self.0.get(key).filter(|(end, _)| now < *end).map(|(_, said)| said.clone())
    }

    /// Forgets what was said of all that begins so.
    pub(in crate::apigateway) fn forget(&mut self, start: &str) {
        self.0.retain(|key, _| !key.starts_with(start));
    }

    pub(super) fn keep(&mut self, key: String, said: T, now: SystemTime, seconds: u64) {
        self.0.retain(|_, (end, _)| now < *end);
        if seconds > 0 {
            self.0.insert(key, (now + Duration::from_secs(seconds), said));
        }
    }
}

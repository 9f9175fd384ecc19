//! What authorizers have said, for as long as they want it to be kept.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::authorize::Granted;

/// Kept answers, by what was asked.
#[derive(Debug, Default)]
pub(in crate::apigateway) struct Grants(BTreeMap<String, (SystemTime, Option<Granted>)>);

impl Grants {
    /// What was said and still counts; a refusal is none of the grants.
    pub(super) fn find(&self, key: &str, now: SystemTime) -> Option<Option<Granted>> {
        self.0.get(key).filter(|(end, _)| now < *end).map(|(_, granted)| granted.clone())
    }

    pub(super) fn keep(
        &mut self,
        key: String,
        granted: Option<Granted>,
        now: SystemTime,
        seconds: u64,
    ) {
        self.0.retain(|_, (end, _)| now < *end);
        if seconds > 0 {
            self.0.insert(key, (now + Duration::from_secs(seconds), granted));
        }
    }
}

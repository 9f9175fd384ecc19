//! What streams are made of: shards, which keep records in order for a while.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::Notify;

/// How long records are kept.
pub(crate) const RETENTION: Duration = Duration::from_hours(24);

/// A shard.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    records: BTreeMap<u64, Record>,
    /// The place of the record that comes next.
    next: u64,
    bell: Arc<Notify>,
}

/// A record, as its service keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its place in the shard.
    pub(crate) place: u64,
    /// When it came.
    pub(crate) at: SystemTime,
    /// What it is, as its service wrote it.
    pub(crate) data: Value,
}

impl Shard {
    /// Adds a record, and says where it stands.
    pub(crate) fn push(&mut self, at: SystemTime, data: Value) -> u64 {
        let place = self.next;
        self.next += 1;
        self.records.insert(place, Record { place, at, data });
        self.bell.notify_waiters();
        place
    }

    /// The records from that place on.
    pub(crate) fn read(&self, from: u64, most: usize) -> Vec<Record> {
        self.records.range(from..).take(most).map(|(_, record)| record.clone()).collect()
    }

    /// Where the next record will stand.
    pub(crate) fn end(&self) -> u64 {
        self.next
    }

    /// Where the oldest record stands.
    pub(crate) fn start(&self) -> u64 {
        self.records.first_key_value().map_or(self.next, |(place, _)| *place)
    }

    /// Where the first record stands that came no earlier.
    pub(crate) fn since(&self, time: SystemTime) -> u64 {
        let found = self.records.values().find(|record| record.at >= time);
        found.map_or(self.next, |record| record.place)
    }

    /// Lets go of records that have been kept long enough.
    pub(crate) fn expire(&mut self, now: SystemTime, keep: Duration) {
        while let Some(oldest) = self.records.first_entry() {
            if now.duration_since(oldest.get().at).unwrap_or_default() <= keep {
                break;
            }
            oldest.remove();
        }
    }

    /// Rings when a record comes.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// Tells whoever waits that nothing will come any more.
    pub(crate) fn close(&self) {
        self.bell.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_read_in_order_until_they_are_too_old() {
        let mut shard = Shard::default();
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        for seconds in 0..5 {
            assert_eq!(shard.push(at(seconds), json!(seconds)), seconds);
        }
        let places = |records: Vec<Record>| records.iter().map(|one| one.place).collect::<Vec<_>>();
        assert_eq!(places(shard.read(1, 2)), [1, 2]);
        assert_eq!(shard.since(at(3)), 3);
        shard.expire(at(10), Duration::from_secs(8));
        assert_eq!((shard.start(), shard.end()), (2, 5));
        assert_eq!(places(shard.read(0, 10)), [2, 3, 4]);
        shard.expire(at(100), Duration::from_secs(8));
        assert_eq!((shard.start(), shard.since(at(0))), (5, 5));
    }
}

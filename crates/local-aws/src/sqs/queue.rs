//! A queue: what comes in, in which order it goes out, and what becomes of what is not deleted. Pure over time.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use tokio::sync::Notify;

use super::attributes::Settings;
use crate::ids::uuid;

/// How long a FIFO queue knows a message again.
const DEDUPLICATION: Duration = Duration::from_mins(5);

/// A queue with its messages.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) arn: String,
    pub(super) settings: Settings,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created: SystemTime,
    pub(super) modified: SystemTime,
    pub(super) purged: Option<SystemTime>,
    /// Rings when something may have become receivable.
    pub(super) bell: Arc<Notify>,
    messages: BTreeMap<u64, Message>,
    /// When each can be received; of those that can already, the one that was sent first comes first.
    schedule: BTreeSet<(SystemTime, u64)>,
    next: u64,
    seen: HashMap<String, Seen>,
    /// Its keys, as they came.
    seen_order: VecDeque<String>,
}

/// What a FIFO queue remembers of a message.
#[derive(Debug, Clone)]
struct Seen {
    at: SystemTime,
    sent: Sent,
}

/// A message before it is sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) body: String,
    /// As the API spells them.
    pub(super) attributes: Map<String, Value>,
    pub(super) trace_header: Option<String>,
    pub(super) group: Option<String>,
    pub(super) deduplication: Option<String>,
    pub(super) delay: Option<u32>,
    pub(super) sender: String,
}

/// What is said of a message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) id: String,
    /// Of FIFO queues.
    pub(super) sequence: Option<String>,
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) draft: Draft,
    pub(super) sent: SystemTime,
    pub(super) sequence: Option<String>,
    pub(super) receives: u32,
    pub(super) first_received: Option<SystemTime>,
    /// Where it came from, in a dead-letter queue.
    pub(super) source_arn: Option<String>,
    /// Of this queue alone: what its redrive policy counts.
    receives_here: u32,
    available: SystemTime,
    /// Somebody has it, until it is available again.
    receipt: Option<u32>,
}

/// A message in somebody's hands.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) handle: Handle,
    pub(super) message: Message,
}

/// What a receipt handle says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) number: u64,
    pub(super) receipt: u32,
}

/// Why a message in somebody's hands is none any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stale {
    /// It is gone.
    Gone,
    /// Its visibility time-out is over, or it was received again.
    Expired,
}

/// How many messages there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) visible: usize,
    pub(super) in_flight: usize,
    pub(super) delayed: usize,
}

impl Message {
    fn group(&self) -> &str {
        self.draft.group.as_deref().unwrap_or_default()
    }
}

impl Queue {
    pub(super) fn new(arn: String, settings: Settings, now: SystemTime) -> Self {
        Self {
            arn,
            settings,
            tags: BTreeMap::new(),
            created: now,
            modified: now,
            purged: None,
            bell: Arc::default(),
            messages: BTreeMap::new(),
            schedule: BTreeSet::new(),
            next: 0,
            seen: HashMap::new(),
            seen_order: VecDeque::new(),
        }
    }

    /// Takes a message in. What a FIFO queue knows already is accepted and not delivered again.
    pub(super) fn send(&mut self, draft: Draft, now: SystemTime) -> Sent {
        self.expire(now);
        let key = self.settings.is_fifo.then(|| self.deduplication_key(&draft));
        if let Some(seen) = key.as_ref().and_then(|key| self.seen.get(key)) {
            return seen.sent.clone();
        }
        let number = self.next;
        let message = Message {
            id: uuid(),
            sent: now,
            sequence: key
                .is_some()
                .then(|| format!("{:020}", 18_850_000_000_000_000_000_u128 + u128::from(number))),
            receives: 0,
            first_received: None,
            source_arn: None,
            receives_here: 0,
            available: now + Duration::from_secs(draft.delay.unwrap_or(self.settings.delay).into()),
            receipt: None,
            draft,
        };
        let sent = Sent { id: message.id.clone(), sequence: message.sequence.clone() };
        if let Some(key) = key {
            self.seen_order.push_back(key.clone());
            self.seen.insert(key, Seen { at: now, sent: sent.clone() });
        }
        self.put(message);
        sent
    }

    fn deduplication_key(&self, draft: &Draft) -> String {
        let id = draft.deduplication.as_deref().unwrap_or_default();
        let group = draft.group.as_deref().filter(|_| self.settings.deduplicates_by_group);
        format!("{}\n{id}", group.unwrap_or_default())
    }

    fn put(&mut self, message: Message) {
        let number = self.next;
        self.next += 1;
        self.schedule.insert((message.available, number));
        self.messages.insert(number, message);
        self.bell.notify_waiters();
    }

    /// Takes in what another queue could not get rid of, or gives back.
    pub(super) fn take_over(
        &mut self,
        mut message: Message,
        source: Option<&str>,
        now: SystemTime,
    ) {
        message.receipt = None;
        message.receives_here = 0;
        message.available = now;
        message.source_arn = source.map(str::to_owned);
        self.put(message);
    }

    /// Hands messages out, and those that were received too often to whoever takes the dead ones.
    pub(super) fn receive(
        &mut self,
        most: usize,
        visibility: Duration,
        now: SystemTime,
    ) -> (Vec<Received>, Vec<Message>) {
        self.expire(now);
        let (mut received, mut dead) = (Vec::new(), Vec::new());
        let limit = self.settings.redrive.as_ref().map(|redrive| redrive.most_receives);
        while received.len() < most {
            let wanted = most - received.len();
            let ready = if self.settings.is_fifo {
                self.ready_in_order(now, wanted)
            } else {
                self.ready(now, wanted)
            };
            if ready.is_empty() {
                break;
            }
            let before = dead.len();
            for number in ready {
                let over = self.messages.get(&number).is_some_and(|message| {
                    limit.is_some_and(|limit| message.receives_here >= limit)
                });
                if over {
                    dead.extend(self.remove(number));
                } else {
                    received.extend(self.hand_out(number, visibility, now));
                }
            }
            // Without a dead one, what was ready has been handed out.
            if dead.len() == before {
                break;
            }
        }
        (received, dead)
    }

    fn hand_out(&mut self, number: u64, visibility: Duration, now: SystemTime) -> Option<Received> {
        let message = self.messages.get_mut(&number)?;
        self.schedule.remove(&(message.available, number));
        message.receives += 1;
        message.receives_here += 1;
        message.first_received.get_or_insert(now);
        message.receipt = Some(message.receives);
        message.available = now + visibility;
        self.schedule.insert((message.available, number));
        let handle = Handle { number, receipt: message.receives };
        Some(Received { handle, message: message.clone() })
    }

    fn ready(&self, now: SystemTime, most: usize) -> Vec<u64> {
        let due = self.schedule.iter().take_while(|(at, _)| *at <= now).take(most);
        due.map(|(_, number)| *number).collect()
    }

    /// Of each group, nothing behind a message that somebody has or that is delayed.
    fn ready_in_order(&self, now: SystemTime, most: usize) -> Vec<u64> {
        let mut held = HashSet::new();
        let mut found = Vec::new();
        // What is not available yet stands at the end of the schedule.
        for (at, number) in self.schedule.iter().rev() {
            if *at <= now {
                break;
            }
            held.extend(self.messages.get(number).map(Message::group));
        }
        for (number, message) in &self.messages {
            if found.len() == most {
                break;
            }
            if !held.contains(message.group()) {
                found.push(*number);
            }
        }
        found
    }

    /// When the next message can be received that cannot be now; nothing where there is none.
    pub(super) fn next_change(&self, now: SystemTime) -> Option<SystemTime> {
        self.schedule.range((now + Duration::from_nanos(1), 0)..).next().map(|(at, _)| *at)
    }

    /// Deletes a message; in a FIFO queue only in the hands of whoever has it.
    pub(super) fn delete(&mut self, handle: Handle, now: SystemTime) -> Result<(), Stale> {
        let Some(message) = self.messages.get(&handle.number) else { return Ok(()) };
        let expired = message.receipt != Some(handle.receipt) || message.available <= now;
        if self.settings.is_fifo && expired {
            return Err(Stale::Expired);
        }
        self.remove(handle.number);
        // The next of its group can go out.
        self.bell.notify_waiters();
        Ok(())
    }

    fn remove(&mut self, number: u64) -> Option<Message> {
        let message = self.messages.remove(&number)?;
        self.schedule.remove(&(message.available, number));
        Some(message)
    }

    /// Has a message come back that much later.
    pub(super) fn change_visibility(
        &mut self,
        handle: Handle,
        visibility: Duration,
        now: SystemTime,
    ) -> Result<(), Stale> {
        let message = self.messages.get_mut(&handle.number).ok_or(Stale::Gone)?;
        if message.receipt != Some(handle.receipt) || message.available <= now {
            return Err(Stale::Expired);
        }
        self.schedule.remove(&(message.available, handle.number));
        message.available = now + visibility;
        self.schedule.insert((message.available, handle.number));
        self.bell.notify_waiters();
        Ok(())
    }

    pub(super) fn counts(&self, now: SystemTime) -> Counts {
        let mut counts = Counts::default();
        for message in self.messages.values() {
            if message.available <= now {
                counts.visible += 1;
            } else if message.receipt.is_some() {
                counts.in_flight += 1;
            } else {
                counts.delayed += 1;
            }
        }
        counts
    }

    /// Lets go of what is older than the queue keeps things.
    fn expire(&mut self, now: SystemTime) {
        let is_over =
            |seen: &Seen| now.duration_since(seen.at).unwrap_or_default() >= DEDUPLICATION;
        while let Some(key) = self.seen_order.front() {
            if self.seen.get(key).is_some_and(|seen| !is_over(seen)) {
                break;
            }
            if let Some(key) = self.seen_order.pop_front() {
                self.seen.remove(&key);
            }
        }
        let keep = Duration::from_secs(self.settings.retention.into());
        let is_old =
            |message: &Message| now.duration_since(message.sent).unwrap_or_default() > keep;
        // Messages stand in the order in which they were sent, but for those of dead-letter queues.
        while let Some((number, message)) = self.messages.first_key_value() {
            if !is_old(message) {
                break;
            }
            let number = *number;
            self.remove(number);
        }
    }

    /// Deletes every message.
    pub(super) fn purge(&mut self) {
        self.messages.clear();
        self.schedule.clear();
        self.bell.notify_waiters();
    }

    /// Every message that nobody has, taken out.
    pub(super) fn take_all(&mut self, now: SystemTime) -> Vec<Message> {
        let ready = self.ready(now, usize::MAX);
        ready.into_iter().filter_map(|number| self.remove(number)).collect()
    }

    /// The messages' identifiers.
    pub(super) fn message_ids(&self) -> Vec<&str> {
        self.messages.values().map(|message| message.id.as_str()).collect()
    }
}

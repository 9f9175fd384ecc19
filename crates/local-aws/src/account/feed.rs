//! What changes in accounts, told to whoever listens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::Value;
use tokio::sync::mpsc;

/// Something has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When.
    pub at: SystemTime,
    /// In which account.
    pub account: String,
    /// In which region; for services that know none, the one that the request was made in.
    pub region: String,
    /// The service, such as `dynamodb`.
    pub service: &'static str,
    /// What has changed.
    pub event: ChangeEvent,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeEvent {
    /// An item was put, changed or deleted.
    ItemWritten {
        /// The table's name.
        table: String,
        /// The item's key, as DynamoDB writes it in JSON.
        key: Value,
        /// The item before; none where it is new.
        old: Option<Value>,
        /// The item after; none where it was deleted.
        new: Option<Value>,
    },
    /// An object was written.
    ObjectPut {
        /// The bucket's name.
        bucket: String,
        /// The object's key.
        key: String,
        /// In bytes.
        size: u64,
        /// Its entity tag.
        etag: String,
    },
    /// An object was deleted.
    ObjectDeleted {
        /// The bucket's name.
        bucket: String,
        /// The object's key.
        key: String,
    },
    /// Lines were added to a log stream.
    LogWritten {
        /// The group's name.
        group: String,
        /// The stream's name.
        stream: String,
        /// The lines, each with its time in milliseconds.
        lines: Vec<(i64, String)>,
    },
    /// A message was sent to a person.
    MessageSent {
        /// An e-mail address or a phone number.
        to: String,
        /// `EMAIL` or `SMS`.
        medium: &'static str,
        /// Such as `CustomMessage_SignUp`.
        reason: String,
    },
    /// A resource was created.
    ResourceCreated(ResourceName),
    /// A resource was deleted.
    ResourceDeleted(ResourceName),
    /// A resource has entered another state.
    StateChanged {
        /// The resource.
        resource: ResourceName,
        /// Such as `CREATE_COMPLETE`.
        state: String,
    },
}

/// A resource, by its type and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceName {
    /// As CloudFormation calls the type, such as `AWS::DynamoDB::Table`.
    pub kind: &'static str,
    /// What identifies it in its account and region.
    pub name: String,
}

impl ResourceName {
    /// A resource of that type.
    #[must_use]
    pub fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

/// The changes that a state has been through since they were last taken out of it.
#[derive(Debug, Default)]
pub struct Outbox {
    events: Vec<ChangeEvent>,
}

impl Outbox {
    /// Notes a change.
    pub fn push(&mut self, event: ChangeEvent) {
        self.events.push(event);
    }

    /// Notes that a resource was created.
    pub fn created(&mut self, kind: &'static str, name: impl Into<String>) {
        self.push(ChangeEvent::ResourceCreated(ResourceName::new(kind, name)));
    }

    /// Notes that a resource was deleted.
    pub fn deleted(&mut self, kind: &'static str, name: impl Into<String>) {
        self.push(ChangeEvent::ResourceDeleted(ResourceName::new(kind, name)));
    }

    /// What was noted and not taken out yet.
    pub(crate) fn pending(&self) -> &[ChangeEvent] {
        &self.events
    }

    /// Takes out what was noted.
    pub fn take(&mut self) -> Vec<ChangeEvent> {
        std::mem::take(&mut self.events)
    }
}

/// Changes as they come, in the order in which they happened.
#[derive(Debug)]
pub struct Changes {
    receiver: mpsc::UnboundedReceiver<Arc<Change>>,
}

impl Changes {
    /// The next change; none when the embedded AWS has ended.
    pub async fn next(&mut self) -> Option<Arc<Change>> {
        self.receiver.recv().await
    }

    /// The next change, where there is one already.
    pub fn try_next(&mut self) -> Option<Arc<Change>> {
        self.receiver.try_recv().ok()
    }
}

/// Everybody who listens.
#[derive(Debug, Default)]
pub(super) struct Feed {
    listeners: Mutex<Vec<mpsc::UnboundedSender<Arc<Change>>>>,
}

impl Feed {
    fn listeners(&self) -> MutexGuard<'_, Vec<mpsc::UnboundedSender<Arc<Change>>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listen(&self) -> Changes {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.listeners().push(sender);
        Changes { receiver }
    }

    /// Tells everybody who still listens.
    pub(super) fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        let mut listeners = self.listeners();
        if listeners.is_empty() {
            return;
        }
        for change in changes.into_iter().map(Arc::new) {
            listeners.retain(|listener| listener.send(Arc::clone(&change)).is_ok());
        }
    }
}

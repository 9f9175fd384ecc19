//! Accounts and regions: the one place where state lives, with its clock, its background tasks and its changes.
//!
//! An [`Account`] is one account as it is seen in one region. All accounts and regions of an embedded AWS share the clock,
//! the tasks and the feed of changes; a service's state is there once for each region, once for each account, or once
//! for all of them, as its [`State`] says.

mod cells;
pub mod client;
pub mod clock;
pub mod feed;
pub mod latency;
mod tasks;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use self::cells::Cells;
use self::clock::Clock;
use self::feed::{Change, ChangeEvent, Changes, Feed};
use self::latency::LatencyProfile;
use self::tasks::Tasks;
use crate::server::Service;

/// However fast this AWS goes, others must have their turn between two looks at the same thing.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);

/// How much a service's state belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// There is one for all accounts.
    Partition,
    /// Each account has its own, for all regions.
    Account,
    /// Each region of each account has its own.
    Region,
}

/// The state of a service.
pub trait State: Default + Send + 'static {
    /// The service's name, such as `lambda`.
    const SERVICE: &'static str;
    /// How much it belongs to.
    const SCOPE: Scope = Scope::Region;

    /// The changes since they were last taken.
    fn take_changes(&mut self) -> Vec<ChangeEvent> {
        Vec::new()
    }
}

/// What accounts are opened with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountOptions {
    /// The account of callers whose keys say nothing else; twelve digits.
    pub account_id: String,
    /// The region of requests that name none.
    pub region: String,
    /// How long things take.
    pub latency: LatencyProfile,
    /// `http://127.0.0.1:PORT`, where this AWS answers.
    pub endpoint_url: String,
    /// The command, and its first arguments, that handler processes are started with.
    pub launcher: Vec<OsString>,
}

/// What all accounts and regions share, and all that there is in them.
struct Partition {
    options: AccountOptions,
    services: Vec<&'static dyn Service>,
    clock: Clock,
    tasks: Tasks,
    feed: Feed,
    cells: Arc<Cells>,
    accounts: Mutex<BTreeMap<String, AccountCells>>,
}

#[derive(Default)]
struct AccountCells {
    own: Arc<Cells>,
    regions: BTreeMap<String, Arc<Cells>>,
}

/// An account, as it is seen in one region. Clones are the same account.
#[derive(Clone)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// Such as `us-east-1`.
    pub region: String,
    partition: Arc<Partition>,
    own: Arc<Cells>,
    regional: Arc<Cells>,
}

/// An account that whoever holds this does not keep alive.
#[derive(Clone)]
pub struct WeakAccount {
    id: String,
    region: String,
    partition: Weak<Partition>,
}

/// The state of a service, locked; never held across an `await`. What has changed is told when the lock ends.
pub struct Locked<'a, S: State> {
    account: &'a Account,
    state: MutexGuard<'a, S>,
}

impl<S: State> Deref for Locked<'_, S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.state
    }
}

impl<S: State> DerefMut for Locked<'_, S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.state
    }
}

impl<S: State> Drop for Locked<'_, S> {
    fn drop(&mut self) {
        let events = self.state.take_changes();
        if events.is_empty() {
            return;
        }
        let at = self.account.now();
        self.account.partition.feed.publish(events.into_iter().map(|event| Change {
            at,
            account: self.account.id.clone(),
            region: self.account.region.clone(),
            service: S::SERVICE,
            event,
        }));
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, region, .. } = self;
        formatter.debug_struct("Account").field("id", id).field("region", region).finish()
    }
}

impl Account {
    /// The first account, empty, with those services.
    #[must_use]
    pub fn open(options: AccountOptions, services: Vec<&'static dyn Service>) -> Self {
        let (id, region) = (options.account_id.clone(), options.region.clone());
        let partition = Partition {
            options,
            services,
            clock: Clock::default(),
            tasks: Tasks::default(),
            feed: Feed::default(),
            cells: Arc::default(),
            accounts: Mutex::default(),
        };
        Self::of(Arc::new(partition), id, region)
    }

    fn of(partition: Arc<Partition>, id: String, region: String) -> Self {
        let (own, regional) = {
            let mut accounts = partition.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            let account = accounts.entry(id.clone()).or_default();
            let regional = account.regions.entry(region.clone()).or_default();
            (Arc::clone(&account.own), Arc::clone(regional))
        };
        Self { id, region, partition, own, regional }
    }

    /// That account in that region, which is empty where nobody has been there yet.
    #[must_use]
    pub fn at(&self, id: &str, region: &str) -> Self {
        if self.id == id && self.region == region {
            return self.clone();
        }
        Self::of(Arc::clone(&self.partition), id.to_owned(), region.to_owned())
    }

    /// The account of callers whose keys say nothing else, in the region of requests that name none.
    #[must_use]
    pub fn default_account(&self) -> Self {
        let AccountOptions { account_id, region, .. } = &self.partition.options;
        self.at(account_id, region)
    }

    /// Every account in every region where somebody has been.
    #[must_use]
    pub fn everywhere(&self) -> Vec<Self> {
        let accounts = self.partition.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let places: Vec<(String, String)> = accounts
            .iter()
            .flat_map(|(id, account)| {
                account.regions.keys().map(|region| (id.clone(), region.clone()))
            })
            .collect();
        drop(accounts);
        places.iter().map(|(id, region)| self.at(id, region)).collect()
    }

    /// The same account, not kept alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakAccount {
        WeakAccount {
            id: self.id.clone(),
            region: self.region.clone(),
            partition: Arc::downgrade(&self.partition),
        }
    }

    /// The state of a service, locked.
    #[must_use]
    pub fn state<S: State>(&self) -> Locked<'_, S> {
        let cells = match S::SCOPE {
            Scope::Partition => &self.partition.cells,
            Scope::Account => &self.own,
            Scope::Region => &self.regional,
        };
        let state = cells.get::<Mutex<S>>().lock().unwrap_or_else(PoisonError::into_inner);
        Locked { account: self, state }
    }

    /// What a service keeps for each region beside its state, such as processes.
    #[must_use]
    pub fn regional<T: Default + Send + Sync + 'static>(&self) -> &T {
        self.regional.get()
    }

    /// How long things take.
    #[must_use]
    pub fn latency(&self) -> LatencyProfile {
        self.partition.options.latency
    }

    /// `http://127.0.0.1:PORT`, where this AWS answers.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.partition.options.endpoint_url
    }

    /// The command, and its first arguments, that handler processes are started with.
    #[must_use]
    pub fn launcher(&self) -> &[OsString] {
        &self.partition.options.launcher
    }

    /// Every service that there is.
    #[must_use]
    pub fn services(&self) -> &[&'static dyn Service] {
        &self.partition.services
    }

    /// The service of that name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&'static dyn Service> {
        self.services().iter().copied().find(|service| service.name() == name)
    }

    /// The clock of all accounts.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.partition.clock
    }

    /// The time that this AWS goes by.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.clock().now()
    }

    /// Waits for what AWS waits `real` for.
    pub async fn pause(&self, real: Duration) {
        self.clock().sleep(self.latency().scale(real).max(SHORTEST_PAUSE)).await;
    }

    /// Looks at something so many times at most, with that pause of AWS's in between.
    #[must_use]
    pub fn poller(&self, attempts: usize, between: Duration) -> Poller<'_> {
        Poller { account: self, attempts, done: 0, between }
    }

    /// Goes on with something in the background. It ends with the embedded AWS, and then has no result.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        self.partition.tasks.spawn(work)
    }

    /// The changes in all accounts and regions from now on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.partition.feed.listen()
    }

    /// Every resource of this account in this region, by service, in an order and a form that two calls can be compared
    /// by.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        let mut snapshot = Map::new();
        snapshot.insert("account".to_owned(), json!(self.id));
        snapshot.insert("region".to_owned(), json!(self.region));
        for service in self.services() {
            let resources = service.snapshot(self);
            if !resources.is_null() {
                snapshot.insert(service.name().to_owned(), resources);
            }
        }
        Value::Object(snapshot)
    }

    /// Whether nothing is on its way to becoming something else by itself.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.services().iter().all(|service| service.is_stable(self))
    }

    /// Ends the background tasks of all accounts, and then what services run beside.
    pub async fn shutdown(&self) {
        self.partition.tasks.shutdown().await;
        for account in self.everywhere() {
            for service in self.services() {
                service.shutdown(&account).await;
            }
        }
    }

    /// Ends the background tasks of all accounts without waiting for their end.
    pub(crate) fn abort_tasks(&self) {
        self.partition.tasks.abort();
    }
}

/// Counts looks at something that changes by itself, and waits between them.
#[derive(Debug)]
pub struct Poller<'a> {
    account: &'a Account,
    attempts: usize,
    done: usize,
    between: Duration,
}

impl Poller<'_> {
    /// Waits for the next look, but not for the first; says whether there is one more.
    pub async fn again(&mut self) -> bool {
        if self.done == self.attempts {
            return false;
        }
        if self.done > 0 {
            self.account.pause(self.between).await;
        }
        self.done += 1;
        true
    }
}

impl WeakAccount {
    /// The account, where it is still there.
    #[must_use]
    pub fn upgrade(&self) -> Option<Account> {
        let partition = self.partition.upgrade()?;
        Some(Account::of(partition, self.id.clone(), self.region.clone()))
    }
}

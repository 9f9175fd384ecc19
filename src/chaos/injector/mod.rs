//! Stands between the program and the embedded AWS: counts requests, makes faults happen, plants what is not the run's.

mod inject;
mod tags;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::account::{self, Difference, Resources};
use super::fault::Fault;
use super::foreign_content::{self, ForeignContent};
use super::request::{self, foreign_run};
use engine::event::Effect;
use engine::journal::folder;
use local_aws::http::{BoxFuture, Request, Response};
use local_aws::server::middleware::{After, Before, Middleware};
use local_aws::{Account, Service};

/// Who signs the requests that count: the program, not the handlers that it made.
pub(super) const ACCESS_KEY: &str = "AKIAPLAYBOOKCHAOS000";

/// How long somebody else's stack, or whatever else is made by and by, may take.
const LONGEST_STACK: Duration = Duration::from_secs(30);

/// One request that the program sends, undisturbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Counts from 1.
    pub index: usize,
    /// Such as `lambda`.
    pub service: String,
    /// Such as `CreateFunction`.
    pub operation: String,
    /// Which of its operation's requests it is, counted from 1: polls vary in number, and branches in order.
    pub occurrence: usize,
    /// Whether it makes something that somebody else could have made just before.
    pub makes: bool,
}

impl Point {
    /// Whether the two are the same request of two runs.
    fn is(&self, other: &Self) -> bool {
        self.service == other.service
            && self.operation == other.operation
            && self.occurrence == other.occurrence
    }
}

/// What is to happen to which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedFault {
    pub(super) at: Point,
    pub(super) fault: Fault,
    /// After which request of the clean-up it is killed, for [`Fault::KilledTwice`].
    pub(super) again_at: usize,
    /// After how long the connection of a reply that hangs is closed, for [`Fault::Hang`].
    pub(super) hangs: Duration,
    /// How much later an effect comes, for [`Fault::InFlight`] and [`Fault::Overtaken`].
    pub(super) delay: Duration,
}

/// What the injector has seen.
#[derive(Debug, Default)]
struct Seen {
    recovering: bool,
    points: Vec<Point>,
    fired: bool,
    /// Whether the program was sent the reply that ends it.
    last_reply: bool,
    /// How many more requests of this operation are refused; of the next operation that looks, where it is not known yet.
    refusals: Option<(Option<String>, usize)>,
    recovered: usize,
    longest: Duration,
    foreign: Resources,
    content: ForeignContent,
    harmed: BTreeSet<String>,
    /// What was called since the fault, and how that ended.
    calls: Vec<String>,
    planted: Vec<(Vec<String>, Bytes)>,
    /// Whether a second run is at work, whose requests are left alone.
    has_company: bool,
    /// Effects that have yet to come.
    late: Vec<JoinHandle<()>>,
    /// By request id: what happens to it, and since when.
    under_way: HashMap<String, (Treatment, Instant)>,
}

/// What happens to the request at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Treatment {
    Passes,
    Faulted(Fault),
    RefusedAsWell(Fault),
}

/// A second run of the same playbook, from its start to its end.
pub(super) type SecondRun = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// The injector of one trial.
pub(super) struct Injector {
    planned: Option<PlannedFault>,
    state_directory: PathBuf,
    account: OnceLock<Account>,
    second_run: OnceLock<SecondRun>,
    /// Held while somebody else acts: who looks meanwhile misses what is just being made.
    acting: tokio::sync::Mutex<()>,
    seen: Mutex<Seen>,
    /// Counts the times that the program is to be killed.
    kill: watch::Sender<u32>,
    /// Counts the times that it was.
    dead: watch::Sender<u32>,
}

impl Injector {
    pub(super) fn new(planned: Option<PlannedFault>, state_directory: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            planned,
            state_directory,
            account: OnceLock::new(),
            second_run: OnceLock::new(),
            acting: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
            kill: watch::Sender::new(0),
            dead: watch::Sender::new(0),
        })
    }

    /// Everything that is there now is somebody else's.
    pub(super) fn watch(&self, account: &Account) {
        // Set once, before the first request.
        let _ = self.account.set(account.clone());
        self.seen().foreign = account::resources(&account.snapshot());
    }

    /// What to start for [`Fault::Overlapping`].
    pub(super) fn accompany(&self, second_run: SecondRun) {
        // Set once, before the first request.
        let _ = self.second_run.set(second_run);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on requests are those of the recovery.
    pub(super) fn recover(&self) {
        let mut seen = self.seen();
        seen.recovering = true;
        seen.refusals = None;
    }

    pub(super) fn points(&self) -> Vec<Point> {
        self.seen().points.clone()
    }

    /// What was called since the fault, and how that ended: where something is left, this tells why.
    pub(super) fn calls(&self) -> Vec<String> {
        self.seen().calls.clone()
    }

    fn note(&self, service: &dyn Service, request: &Request, end: impl std::fmt::Display) {
        let mut seen = self.seen();
        if seen.fired {
            let who = if seen.recovering { "clean-up" } else { "run" };
            let operation = service.operation(request);
            seen.calls.push(format!("{who}: {} {operation}: {end}", service.name()));
        }
    }

    /// Whether the program came as far as the planned.
    pub(super) fn fired(&self) -> bool {
        self.seen().fired
    }

    /// Whether the program was sent the reply that ends it.
    pub(super) fn has_sent_last_reply(&self) -> bool {
        self.seen().last_reply
    }

    /// The longest that any request took.
    pub(super) fn longest(&self) -> Duration {
        self.seen().longest
    }

    /// Returns when no effect has yet to come.
    pub(super) async fn nothing_late(&self) {
        let late = std::mem::take(&mut self.seen().late);
        for effect in late {
            // One that failed has had no effect.
            let _ = effect.await;
        }
    }

    /// What the account differs in from what it should be, but for what is left and `listed` by the clean-up.
    pub(super) fn difference(&self, listed: &str) -> Difference {
        let Some(account) = self.account.get() else { return Difference::default() };
        let snapshot = account.snapshot();
        self.look_after_foreign_content(&snapshot);
        let seen = self.seen();
        let found = account::resources(&snapshot);
        let mut difference = account::compare(&seen.foreign, &found);
        account::take_out_listed(&mut difference, &found, listed);
        difference.touched.extend(seen.harmed.iter().cloned());
        difference
    }

    /// Notes which foreign content is no more as it was. That in a pool or table of the run's own go with it in the end, so
    /// this is to be seen before. In somebody else's, what matters is how it is in the end: what the run replaces there, it
    /// puts back.
    fn look_after_foreign_content(&self, snapshot: &Value) {
        let mut seen = self.seen();
        let harmed = foreign_content::harmed(&seen.content, snapshot, |place| {
            seen.foreign.contains_key(place)
        });
        seen.harmed.extend(harmed);
    }

    /// Hears when the program is to be killed.
    pub(super) fn kills(&self) -> watch::Receiver<u32> {
        self.kill.subscribe()
    }

    /// The program is dead, however it died.
    pub(super) fn buried(&self) {
        self.dead.send_modify(|count| *count += 1);
    }

    /// Has the program killed, and returns when it is dead.
    async fn kill(&self) {
        let mut dead = self.dead.subscribe();
        let before = *dead.borrow_and_update();
        self.kill.send_modify(|count| *count += 1);
        // The injector outlives the wait, so the sender does too.
        let _ = dead.wait_for(|count| *count > before).await;
    }

    fn treatment(&self, service: &dyn Service, request: &Request) -> Treatment {
        let operation = service.operation(request);
        let mut seen = self.seen();
        if seen.recovering || seen.has_company {
            return Treatment::Passes;
        }
        let alike = seen
            .points
            .iter()
            .filter(|point| point.service == service.name() && point.operation == operation);
        let point = Point {
            index: seen.points.len() + 1,
            service: service.name().to_owned(),
            operation: operation.clone(),
            occurrence: alike.count() + 1,
            makes: request::is_tagged(request)
                || foreign_content::same_by_somebody(request).is_some(),
        };
        seen.points.push(point.clone());
        let Some(planned) = &self.planned else { return Treatment::Passes };
        if let Some((refused, more)) = &mut seen.refusals
            && *more > 0
            && match refused {
                Some(refused) => *refused == operation,
                None => Effect::of(&operation) == Effect::Read,
            }
        {
            *refused = Some(operation);
            *more -= 1;
            return Treatment::RefusedAsWell(planned.fault);
        }
        if !point.is(&planned.at) {
            return Treatment::Passes;
        }
        seen.fired = true;
        let refused = (!planned.fault.blinds()).then_some(operation);
        seen.refusals = Some((refused, planned.fault.refusals()));
        Treatment::Faulted(planned.fault)
    }

    /// Does as a foreign run would, before the run does; and has foreign content come to pools and tables.
    async fn plant(&self, service: &dyn Service, request: &Request) {
        let Some(account) = self.account.get() else { return };
        let _acting = self.acting.lock().await;
        let snapshot = account.snapshot();
        self.look_after_foreign_content(&snapshot);
        if self.seen().recovering || self.seen().has_company {
            return;
        }
        let mut content = foreign_content::arrivals(request, service.name(), &snapshot);
        content.extend(foreign_content::near_names(request, &snapshot));
        for item in content {
            if self.is_first(&item) {
                self.as_another(service, &item, |_, _| false).await;
            }
        }
        let Some(run) = self.run() else { return };
        let Some(copy) = request::of_foreign_run(request, &run) else { return };
        if self.is_first(&copy) && !foreign_content::takes_the_key(request, &snapshot, &run) {
            let foreign_run = foreign_run(&run);
            // AWS makes up the names of some things, such as pools, which then have their own among what they are.
            let is_theirs = |name: &str, made: Option<&Value>| {
                let is_in = |picture: &Value| picture.to_string().contains(&foreign_run);
                name.contains(&foreign_run) || made.is_some_and(is_in)
            };
            self.as_another(service, &copy, is_theirs).await;
        }
    }

    /// Whether nobody has sent this before.
    fn is_first(&self, request: &Request) -> bool {
        let mark = (request.path.clone(), request.body.clone());
        let mut seen = self.seen();
        let is_first = !seen.planted.contains(&mark);
        if is_first {
            seen.planted.push(mark);
        }
        is_first
    }

    /// Has a request carried out whose effects are not the run's. `is_theirs` is told the name of what has changed, and
    /// what it is where it was not there before.
    async fn as_another(
        &self,
        service: &dyn Service,
        request: &Request,
        is_theirs: impl Fn(&str, Option<&Value>) -> bool,
    ) {
        let Some(account) = self.account.get() else { return };
        let before = account.snapshot();
        service.handle(account, request).await;
        let after = settled(account).await;
        let existing = account::resources(&before);
        let changed = account::changed(&existing, &account::resources(&after));
        let theirs = changed.into_iter().filter(|(name, picture)| {
            is_theirs(name, Some(picture).filter(|_| !existing.contains_key(name)))
        });
        let content = foreign_content::newcomers(
            &foreign_content::inhabitants(&before),
            foreign_content::inhabitants(&after),
        );
        let mut seen = self.seen();
        seen.foreign.extend(theirs);
        for ((container, name), item) in &content {
            if let Some(picture) = seen.foreign.get_mut(container) {
                foreign_content::add_to(picture, name, item);
            }
        }
        seen.content.extend(content);
    }

    /// Has somebody else make what the run is about to make.
    async fn take(&self, service: &dyn Service, request: &Request) {
        let _acting = self.acting.lock().await;
        if let Some(same) = foreign_content::same_by_somebody(request) {
            return self.as_another(service, &same, |_, _| false).await;
        }
        let Some(copy) = request::of_somebody(request) else { return };
        let existing: Vec<String> = self.seen().foreign.keys().cloned().collect();
        let is_theirs = |name: &str, _: Option<&Value>| !existing.iter().any(|other| other == name);
        self.as_another(service, &copy, is_theirs).await;
    }

    /// The id of the run; its journal is there before anything is made.
    fn run(&self) -> Option<String> {
        folder::unfinished(&self.state_directory).ok()?.into_iter().next()
    }

    /// Counts a request of the clean-up; whether it is the one to be killed after.
    fn is_second_kill(&self) -> bool {
        let mut seen = self.seen();
        if !seen.recovering {
            return false;
        }
        seen.recovered += 1;
        self.planned.as_ref().is_some_and(|planned| {
            planned.fault == Fault::KilledTwice && planned.again_at == seen.recovered
        })
    }
}

impl Middleware for Injector {
    fn before<'a>(
        &'a self,
        service: &'a dyn Service,
        request: &'a Request,
    ) -> BoxFuture<'a, Before> {
        Box::pin(async move {
            if !is_counted(request) {
                return Before::Proceed;
            }
            self.plant(service, request).await;
            let treatment = self.treatment(service, request);
            if !matches!(treatment, Treatment::Passes) {
                self.note(service, request, "the fault");
            }
            self.seen().under_way.insert(request.request_id.clone(), (treatment, Instant::now()));
            match treatment {
                Treatment::Passes => Before::Proceed,
                Treatment::Faulted(fault) => self.inject_before(fault, service, request).await,
                Treatment::RefusedAsWell(fault) => Self::refuse_again(fault, service),
            }
        })
    }

    fn after<'a>(
        &'a self,
        service: &'a dyn Service,
        request: &'a Request,
        response: &'a Response,
    ) -> BoxFuture<'a, After> {
        Box::pin(async move {
            let under_way = self.seen().under_way.remove(&request.request_id);
            let Some((treatment, started)) = under_way else { return After::Deliver };
            self.note(service, request, response.status);
            {
                let mut seen = self.seen();
                seen.longest = seen.longest.max(started.elapsed());
            }
            match treatment {
                Treatment::Faulted(fault) => {
                    self.inject_after(fault, service, request, response).await
                }
                _ if self.hides_tags() => {
                    After::Replace(tags::hidden(service, &service.operation(request), response))
                }
                _ if self.is_second_kill() => {
                    self.kill().await;
                    After::Drop
                }
                _ => After::Deliver,
            }
        })
    }
}

/// The account when nothing in it is being made any more.
async fn settled(account: &Account) -> Value {
    let started = Instant::now();
    loop {
        if account.is_stable() || started.elapsed() > LONGEST_STACK {
            return account.snapshot();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is_counted(request: &Request) -> bool {
    request.credential.as_ref().is_some_and(|credential| credential.access_key == ACCESS_KEY)
}

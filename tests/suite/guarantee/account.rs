//! An account in memory, where things go wrong as they do at AWS.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws::{CallError, Outcome};
use fastrand::Rng;
use tokio::sync::{Notify, watch};

/// Who made what is there before the run.
pub const SOMEBODY: &str = "somebody";

/// How many milliseconds later new things show up, at most, and how many more it takes until their tags do: well within the
/// window in which they are looked for.
const LATEST: u64 = 70;

/// Something in the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Unique for ever.
    pub id: u64,
    /// The tag.
    pub owner: String,
    /// What can be changed of it.
    pub value: u64,
}

pub type Items = BTreeMap<String, Item>;

/// What goes wrong, and when. Calls are counted from 1.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The program dies in that call.
    dies_at: Option<usize>,
    /// Whether that call has its effect first.
    dies_after_effect: bool,
    /// A person asks it to stop at that call.
    interrupted_at: Option<usize>,
    /// These calls are denied.
    denied: Range<usize>,
    /// One call in so many goes wrong; none where 0.
    faulty: u32,
    /// Whether new things show up late.
    late: bool,
}

impl Schedule {
    pub fn random(chance: &mut Rng) -> Self {
        let one_in = |chance: &mut Rng, n: u32| chance.u32(..n) == 0;
        let dies = chance.u32(..5) < 2;
        let denied_from = chance.usize(1..30);
        let denied = one_in(chance, 5);
        Self {
            dies_at: dies.then(|| chance.usize(1..30)),
            dies_after_effect: chance.bool(),
            interrupted_at: one_in(chance, 6).then(|| chance.usize(1..20)),
            denied: if denied { denied_from..denied_from + chance.usize(1..8) } else { 0..0 },
            faulty: *chance.choice(&[0, 3, 6, 10]).unwrap_or(&0),
            late: chance.bool(),
        }
    }
}

impl Schedule {
    /// Nothing goes wrong but that these calls are denied.
    pub fn denying(denied: Range<usize>) -> Self {
        let late = false;
        Self {
            dies_at: None,
            dies_after_effect: false,
            interrupted_at: None,
            denied,
            faulty: 0,
            late,
        }
    }
}

impl Schedule {
    /// Nothing goes wrong but that the program dies in that call, once it has had its effect.
    pub fn dying_at(call: usize) -> Self {
        Self { dies_at: Some(call), dies_after_effect: true, ..Self::denying(0..0) }
    }
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Works,
    DiesBefore,
    DiesAfter,
    Denied,
    Throttled,
    /// No answer, and no effect.
    Lost,
    /// No answer, although there was an effect.
    LostAfterEffect,
    /// The first answer is lost, and the SDK sends it again.
    Repeated,
}

#[derive(Debug)]
struct State {
    items: Items,
    /// Until when looks do not find it yet.
    hidden: BTreeMap<String, Instant>,
    /// Until when looks do not find its tag yet.
    untagged: BTreeMap<String, Instant>,
    next_id: u64,
    calls: usize,
    schedule: Schedule,
    chance: Rng,
    told: String,
    /// The journal of whoever calls, and what was in the account when it was how long.
    journal: Option<PathBuf>,
    pictures: Vec<(u64, Items)>,
}

impl State {
    fn take_picture(&mut self) {
        let Some(journal) = &self.journal else { return };
        let length = std::fs::metadata(journal).map_or(0, |metadata| metadata.len());
        self.pictures.push((length, self.items.clone()));
    }
}

/// The account of one case.
#[derive(Debug)]
pub struct Account {
    state: Mutex<State>,
    dead: Notify,
    wishes: Mutex<Option<watch::Sender<u8>>>,
}

static ACCOUNTS: LazyLock<Mutex<HashMap<String, Arc<Account>>>> = LazyLock::new(Mutex::default);

fn accounts() -> MutexGuard<'static, HashMap<String, Arc<Account>>> {
    ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Account {
    /// A fresh account with what somebody else has in it, found by the run's id.
    pub fn open(run: &str, schedule: Schedule, mut chance: Rng) -> Arc<Self> {
        let mut items = Items::new();
        for index in 0..super::playbooks::NAMES {
            if chance.bool() {
                let item = Item { id: index, owner: SOMEBODY.to_owned(), value: chance.u64(..4) };
                items.insert(format!("foreign-{index}"), item);
            }
        }
        Self::holding(run, items, schedule, chance)
    }

    /// An account with just that in it.
    pub fn holding(run: &str, items: Items, schedule: Schedule, chance: Rng) -> Arc<Self> {
        let next_id = items.values().map(|item| item.id).max().unwrap_or_default().max(99) + 1;
        let state = State {
            items,
            hidden: BTreeMap::new(),
            untagged: BTreeMap::new(),
            next_id,
            calls: 0,
            schedule,
            chance,
            told: String::new(),
            journal: None,
            pictures: Vec::new(),
        };
        let account = Arc::new(Self {
            state: Mutex::new(state),
            dead: Notify::new(),
            wishes: Mutex::default(),
        });
        accounts().insert(run.to_owned(), Arc::clone(&account));
        account
    }

    pub fn of(run: &str) -> Arc<Self> {
        Arc::clone(accounts().get(run).expect("every case opens its account first"))
    }

    pub fn close(run: &str) {
        accounts().remove(run);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn items(&self) -> Items {
        self.state().items.clone()
    }

    /// From now on remembers what was in it when the journal was how long.
    pub fn watch(&self, journal: &Path) {
        let mut state = self.state();
        state.journal = Some(journal.to_owned());
        state.take_picture();
    }

    /// What was in it when a journal of that length was about to be written on.
    pub fn when_journal_was(&self, length: u64) -> Items {
        let state = self.state();
        let taken = state.pictures.iter().rev().find(|(taken, _)| *taken <= length);
        taken.or(state.pictures.first()).map(|(_, items)| items.clone()).unwrap_or_default()
    }

    pub fn calls(&self) -> usize {
        self.state().calls
    }

    pub fn schedule(&self) -> Schedule {
        self.state().schedule.clone()
    }

    /// Every call and its fate, for the report of a failure.
    pub fn told(&self) -> String {
        self.state().told.clone()
    }

    /// Who hears of the person's wish to stop.
    pub fn interrupts(&self, wishes: watch::Sender<u8>) {
        *self.wishes.lock().unwrap_or_else(PoisonError::into_inner) = Some(wishes);
    }

    /// Returns when the program dies.
    pub async fn death(&self) {
        self.dead.notified().await;
    }

    /// The program was started again; perhaps it dies again.
    pub fn live_on(&self, may_die: bool, chance: &mut Rng) {
        let mut state = self.state();
        let next = state.calls + chance.usize(1..8);
        state.schedule.dies_at = (may_die && chance.u32(..4) == 0).then_some(next);
        state.schedule.dies_after_effect = chance.bool();
        state.told.push_str("-- the program starts again\n");
    }

    /// Nothing goes wrong any more.
    pub fn calm_down(&self) {
        let mut state = self.state();
        let late = state.schedule.late;
        state.schedule = Schedule { late, ..Schedule::denying(0..0) };
        state.told.push_str("-- nothing goes wrong any more\n");
    }

    async fn call<T>(
        &self,
        operation: &str,
        name: &str,
        act: impl Fn(&mut State) -> Result<T, &'static str>,
    ) -> Result<T, CallError> {
        // Others get their turn, as they do while a real call is under way.
        tokio::task::yield_now().await;
        let fate = self.fate(operation, name);
        let refuse = |code: &'static str, outcome| error(operation, Some(code), outcome);
        let answer = match fate {
            Fate::Works => act(&mut self.state()).map_err(|code| refuse(code, Outcome::Refused)),
            Fate::Denied => Err(refuse("AccessDenied", Outcome::Refused)),
            Fate::Throttled => Err(refuse("Throttling", Outcome::Refused)),
            Fate::Lost => Err(error(operation, None, Outcome::Unknown)),
            Fate::LostAfterEffect => {
                let _lost = act(&mut self.state());
                Err(error(operation, None, Outcome::Unknown))
            }
            Fate::Repeated => {
                let _lost = act(&mut self.state());
                act(&mut self.state()).map_err(|code| refuse(code, Outcome::Unknown))
            }
            Fate::DiesBefore | Fate::DiesAfter => {
                if fate == Fate::DiesAfter {
                    let _unheard = act(&mut self.state());
                    self.state().take_picture();
                }
                self.dead.notify_one();
                std::future::pending().await
            }
        };
        self.state().take_picture();
        answer
    }

    fn fate(&self, operation: &str, name: &str) -> Fate {
        let mut state = self.state();
        state.calls += 1;
        let (number, schedule) = (state.calls, state.schedule.clone());
        if schedule.interrupted_at == Some(number)
            && let Some(wishes) = &*self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
        {
            wishes.send_replace(1);
        }
        let fate = if schedule.dies_at == Some(number) {
            if schedule.dies_after_effect { Fate::DiesAfter } else { Fate::DiesBefore }
        } else if schedule.denied.contains(&number) {
            Fate::Denied
        } else if schedule.faulty > 0 && state.chance.u32(..schedule.faulty) == 0 {
            let fates = [Fate::Throttled, Fate::Lost, Fate::LostAfterEffect, Fate::Repeated];
            *state.chance.choice(&fates).unwrap_or(&Fate::Works)
        } else {
            Fate::Works
        };
        let line = writeln!(state.told, "{number} {operation} {name}: {fate:?}");
        line.expect("text grows");
        fate
    }

    /// Makes something; its id.
    pub async fn create(&self, name: &str, owner: &str) -> Result<u64, CallError> {
        self.call("Create", name, |state| {
            if state.items.contains_key(name) {
                return Err("AlreadyExists");
            }
            let id = state.next_id;
            state.next_id += 1;
            let item = Item { id, owner: owner.to_owned(), value: 0 };
            state.items.insert(name.to_owned(), item);
            let late = if state.schedule.late { state.chance.u64(..LATEST) } else { 0 };
            let hidden = Instant::now() + Duration::from_millis(late);
            state.hidden.insert(name.to_owned(), hidden);
            let later = if state.schedule.late { state.chance.u64(..LATEST) } else { 0 };
            let untagged = hidden + Duration::from_millis(later);
            state.untagged.insert(name.to_owned(), untagged);
            Ok(id)
        })
        .await
    }

    /// Looks; what was made a moment ago may not be seen yet, or not its tag.
    pub async fn get(&self, name: &str) -> Result<Option<Item>, CallError> {
        self.call("Get", name, |state| {
            if state.hidden.get(name).is_some_and(|until| Instant::now() < *until) {
                return Ok(None);
            }
            let mut item = state.items.get(name).cloned();
            if state.untagged.get(name).is_some_and(|until| Instant::now() < *until)
                && let Some(item) = &mut item
            {
                item.owner.clear();
            }
            Ok(item)
        })
        .await
    }

    /// Changes something.
    pub async fn put(&self, name: &str, value: u64) -> Result<(), CallError> {
        self.call("Put", name, |state| {
            state.items.get_mut(name).ok_or("NotFound")?.value = value;
            Ok(())
        })
        .await
    }

    /// Deletes something.
    pub async fn delete(&self, name: &str) -> Result<(), CallError> {
        self.call("Delete", name, |state| state.items.remove(name).map(|_| ()).ok_or("NotFound"))
            .await
    }
}

fn error(operation: &str, code: Option<&str>, outcome: Outcome) -> CallError {
    CallError {
        service: "fake".to_owned(),
        operation: operation.to_owned(),
        code: code.map(str::to_owned),
        message: code.unwrap_or("no answer").to_owned(),
        status: code.map(|_| 400),
        request_id: None,
        outcome,
    }
}

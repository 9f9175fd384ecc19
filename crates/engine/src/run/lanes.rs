//! What runs at the same time: the steps of `parallel`, and the rounds of a loop.
//!
//! Everything is polled by the one task of the run: what waits for AWS waits together.

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::Engine;
use super::fault::Stop;
use super::frame::{Frame, Place};
use super::outputs::Outputs;
use super::step::{Ended, Steps};
use crate::event::{Note, StepRef};
use language::playbook::Step;

impl Engine {
    /// Runs steps at the same time, so many at once.
    pub(super) async fn parallel(
        &self,
        frame: &Frame<'_>,
        steps: &[Step],
        max: Option<u32>,
        place: &Place,
        at: &StepRef,
    ) -> Result<Outputs, Ended> {
        let at_once = self.at_once(Some(max), at);
        let start = |index: usize| -> Steps<'_> {
            match steps.get(index) {
                Some(step) => self.step_apart(frame, step, place, index),
                None => Box::pin(std::future::ready(Ok(()))),
            }
        };
        self.lanes(steps.len(), at_once, start).await?;
        Ok(Outputs::none())
    }

    /// How many lanes there are: one where it is not said, as many as there is work where no number is said. A dry run
    /// tells of one thing after the other.
    pub(super) fn at_once(&self, max: Option<Option<u32>>, at: &StepRef) -> usize {
        let Some(max) = max else { return 1 };
        if self.setup.past.is_checking() {
            return usize::MAX;
        }
        if self.setup.aws.is_dry_run() {
            self.note(at, Note::AtTheSameTime { most: max });
            return 1;
        }
        max.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX)
    }

    /// Does pieces of work in so many lanes, and returns what each came to. Once one has stopped, no other begins, and what
    /// is under way comes to its end: nobody would see otherwise what it has made.
    pub(super) async fn lanes<T, F>(
        &self,
        count: usize,
        at_once: usize,
        start: impl Fn(usize) -> F,
    ) -> Result<Vec<T>, Stop>
    where
        F: Future<Output = Result<T, Stop>> + Send,
    {
        let mut running = FuturesUnordered::new();
        let mut done: Vec<Option<T>> = std::iter::repeat_with(|| None).take(count).collect();
        let mut stopped = None;
        let mut next = 0;
        loop {
            while stopped.is_none() && next < count && running.len() < at_once {
                if self.setup.interrupt.requested() {
                    stopped = Some(Stop::Interrupted);
                    break;
                }
                let (index, work) = (next, start(next));
                running.push(async move { (index, work.await) });
                next += 1;
            }
            let Some((index, ended)) = running.next().await else { break };
            match (ended, done.get_mut(index)) {
                (Ok(value), Some(place)) => *place = Some(value),
                (Ok(_), None) => {}
                (Err(stop), _) => {
                    stopped.get_or_insert(stop);
                }
            }
        }
        match stopped {
            Some(stop) => Err(stop),
            None => Ok(done.into_iter().flatten().collect()),
        }
    }
}

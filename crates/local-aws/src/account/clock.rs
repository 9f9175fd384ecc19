//! The time that an account goes by.

use std::time::{Duration, SystemTime};

use tokio::sync::watch;

/// A clock that follows the machine's until it is told otherwise.
#[derive(Debug)]
pub struct Clock {
    setting: watch::Sender<Setting>,
}

#[derive(Debug, Clone, Copy)]
enum Setting {
    /// As the machine's clock, and so much ahead of it.
    Running { ahead: Duration },
    /// It shows this time until it is moved.
    Stopped(SystemTime),
}

impl Setting {
    fn now(self) -> SystemTime {
        match self {
            Self::Running { ahead } => SystemTime::now() + ahead,
            Self::Stopped(time) => time,
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self { setting: watch::Sender::new(Setting::Running { ahead: Duration::ZERO }) }
    }
}

impl Clock {
    /// What it shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.setting.borrow().now()
    }

    /// Stops it at that time; from there, only [`advance`](Self::advance) moves it.
    pub fn set(&self, time: SystemTime) {
        self.setting.send_replace(Setting::Stopped(time));
    }

    /// Moves it forward. Whoever sleeps until then wakes up.
    pub fn advance(&self, by: Duration) {
        self.setting.send_modify(|setting| match setting {
            Setting::Running { ahead } => *ahead += by,
            Setting::Stopped(time) => *time += by,
        });
    }

    /// Waits until it shows a time that much later.
    pub async fn sleep(&self, duration: Duration) {
        let mut setting = self.setting.subscribe();
        let end = self.now() + duration;
        loop {
            let current = *setting.borrow_and_update();
            let Ok(left) = end.duration_since(current.now()) else { return };
            if left.is_zero() {
                return;
            }
            let moved = setting.changed();
            match current {
                Setting::Running { .. } => {
                    tokio::select! {
                        () = tokio::time::sleep(left) => return,
                        _ = moved => {}
                    }
                }
                // The sender lives as long as this clock, so there is always somebody who may move it.
                Setting::Stopped(_) => drop(moved.await),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use super::*;

    #[tokio::test]
    async fn a_clock_that_was_set_is_moved_by_hand() {
        let clock = Arc::new(Clock::default());
        let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        clock.set(start);
        assert_eq!(clock.now(), start);
        let sleeper = Arc::clone(&clock);
        let sleep = tokio::spawn(async move { sleeper.sleep(Duration::from_hours(1)).await });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_mins(59));
        tokio::task::yield_now().await;
        assert!(!sleep.is_finished());
        clock.advance(Duration::from_mins(1));
        sleep.await.expect("woken");
        assert_eq!(clock.now(), start + Duration::from_hours(1));
    }

    #[tokio::test]
    async fn a_running_clock_can_be_ahead_of_the_machines() {
        let clock = Clock::default();
        let before = SystemTime::now();
        clock.advance(Duration::from_hours(24));
        assert!(clock.now() >= before + Duration::from_hours(24));
        clock.sleep(Duration::from_millis(1)).await;
        assert!(clock.now() < before + Duration::from_hours(25));
    }
}

//! Where the states of services live: one of each type, made when it is first asked for.

use std::any::Any;
use std::sync::OnceLock;

/// One value of each type. Values never move and are never removed, so that references to them last.
#[derive(Debug, Default)]
pub(super) struct Cells {
    first: OnceLock<Box<Cell>>,
}

#[derive(Debug)]
struct Cell {
    value: Box<dyn Any + Send + Sync>,
    next: OnceLock<Box<Cell>>,
}

impl Cells {
    /// The value of that type.
    pub(super) fn get<T: Default + Send + Sync + 'static>(&self) -> &T {
        let mut place = &self.first;
        loop {
            let cell = place.get_or_init(|| {
                Box::new(Cell { value: Box::new(T::default()), next: OnceLock::new() })
            });
            if let Some(value) = cell.value.downcast_ref() {
                return value;
            }
            place = &cell.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn there_is_one_value_of_each_type() {
        let cells = Cells::default();
        *cells.get::<Mutex<u8>>().lock().expect("not poisoned") = 7;
        *cells.get::<Mutex<String>>().lock().expect("not poisoned") = "text".to_owned();
        assert_eq!(*cells.get::<Mutex<u8>>().lock().expect("not poisoned"), 7);
        assert_eq!(*cells.get::<Mutex<String>>().lock().expect("not poisoned"), "text");
        assert_eq!(*cells.get::<Mutex<u16>>().lock().expect("not poisoned"), 0);
    }
}

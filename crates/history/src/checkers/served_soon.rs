//! Who is up acknowledges something soon.

use crate::{Event, FinalState, History, Value};

pub fn check<V: Value>(history: &History<V>, _end: &FinalState<V>) -> Vec<String> {
    let late = history.events().iter().filter_map(|event| match event {
        Event::Served { after_ms, allowed_ms } if after_ms > allowed_ms => {
            Some(format!("up, and nothing acknowledged for {after_ms} ms of {allowed_ms}"))
        }
        _ => None,
    });
    late.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_up_and_idle_for_long_is_found_out() {
        let broken = |after_ms| {
            let mut history = History::<String>::default();
            history.note(Event::Served { after_ms, allowed_ms: 4_000 });
            check(&history, &FinalState::default()).len()
        };
        assert_eq!((broken(4_000), broken(4_001)), (0, 1));
    }
}

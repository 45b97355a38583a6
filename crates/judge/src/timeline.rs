use history::{Event, History};

use crate::record::Record;

/// Events of several files, by the one clock that all processes of a round share.
#[derive(Default)]
pub struct Timeline {
    events: Vec<Moment>,
}

struct Moment {
    at: u64,
    event: Event<Record>,
    /// When somebody asked for what the event tells.
    asked: Option<u64>,
}

impl Timeline {
    pub fn note(&mut self, at: u64, event: Event<Record>) {
        self.events.push(Moment { at, event, asked: None });
    }

    /// An answer, to a question that was asked earlier; the event's own `asked` is not read.
    pub fn note_answer(&mut self, at: u64, asked: u64, event: Event<Record>) {
        self.events.push(Moment { at, event, asked: Some(asked) });
    }

    pub fn into_history(mut self) -> History<Record> {
        // Files keep their order where the clock stands still, but for what was asked: it may
        // have its effect at once.
        self.events.sort_by_key(|moment| (moment.at, !is_asking(&moment.event)));
        let times: Vec<u64> = self.events.iter().map(|moment| moment.at).collect();
        let mut history = History::default();
        for Moment { mut event, asked: when, .. } in self.events {
            if let Some(when) = when {
                let before = times.partition_point(|at| *at < when);
                if let Event::Resumed { asked, .. } | Event::TopicsListed { asked, .. } = &mut event
                {
                    *asked = before;
                }
            }
            history.note(event);
        }
        history
    }
}

fn is_asking(event: &Event<Record>) -> bool {
    matches!(
        event,
        Event::Sent { .. }
            | Event::CommitSent { .. }
            | Event::TrimSent { .. }
            | Event::TopicDeletionSent { .. }
    )
}

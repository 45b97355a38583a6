//! Producers that send each value once, and consumers that read from anybody.

use std::time::Duration;

use history::Event;
use types::Offset;

use crate::message::{Alarm, FIRST_CLIENT, Message, NodeId, Produced, Tag};
use crate::stage::Stage;

pub const PRODUCERS: usize = 2;
pub const CONSUMERS: usize = 2;
const PARTITION: i32 = 0;
const PATIENCE: Duration = Duration::from_millis(2_000);

pub enum Client {
    Producer {
        id: NodeId,
        session: u32,
        next: u64,
        open: Option<Vec<Tag>>,
        guess: NodeId,
        stopped: bool,
    },
    Consumer {
        id: NodeId,
        position: Offset,
        asked: u64,
        stopped: bool,
    },
}

impl Client {
    pub fn all() -> Vec<Client> {
        let producer = |at: usize| Client::Producer {
            id: FIRST_CLIENT + at,
            session: 0,
            next: 0,
            open: None,
            guess: 1,
            stopped: false,
        };
        let consumer = |at: usize| Client::Consumer {
            id: FIRST_CLIENT + PRODUCERS + at,
            position: Offset::ZERO,
            asked: 0,
            stopped: false,
        };
        (0..PRODUCERS).map(producer).chain((0..CONSUMERS).map(consumer)).collect()
    }

    pub fn stop(&mut self) {
        match self {
            Client::Producer { stopped, .. } | Client::Consumer { stopped, .. } => *stopped = true,
        }
    }

    pub fn go_on(&mut self, stage: &mut Stage) {
        match self {
            Client::Producer { stopped: true, .. } | Client::Consumer { stopped: true, .. } => {}
            Client::Producer { id, session, next, open, guess, .. } => {
                let count = 1 + stage.chance.below(3);
                let producer = *session * 1_000 + *id as u32;
                let tags: Vec<Tag> =
                    (*next..*next + count).map(|number| Tag { producer, number }).collect();
                *next += count;
                *open = Some(tags.clone());
                stage.note(Event::Sent { partition: PARTITION, values: tags.clone() });
                let number = tags[0].number;
                stage.send(*id, *guess, Message::Produce { tags });
                stage.ring(PATIENCE, *id, 0, Alarm::ClientTimeout { number });
            }
            Client::Consumer { id, position, asked, .. } => {
                *asked += 1;
                let broker = 1 + stage.chance.below(stage.weather.brokers as u64) as NodeId;
                stage.send(*id, broker, Message::Read { from: *position });
                stage.ring(
                    Duration::from_millis(500),
                    *id,
                    0,
                    Alarm::ClientTimeout { number: *asked },
                );
            }
        }
    }

    pub fn ring(&mut self, alarm: &Alarm, stage: &mut Stage) {
        match (alarm, &mut *self) {
            (Alarm::Next, _) => self.go_on(stage),
            (Alarm::ClientTimeout { number }, Client::Producer { .. }) => {
                self.settle(*number, Produced::Unknown, stage);
            }
            (Alarm::ClientTimeout { number }, Client::Consumer { asked, .. })
                if asked == number =>
            {
                self.go_on(stage);
            }
            _ => {}
        }
    }

    pub fn handle(&mut self, message: Message, stage: &mut Stage) {
        match (message, &mut *self) {
            (Message::Produced { first, result }, _) => self.settle(first, result, stage),
            (Message::ReadAnswer { from, tags }, Client::Consumer { position, asked, id, .. }) => {
                if from != *position {
                    return;
                }
                for tag in tags {
                    let offset = position.0;
                    stage.note(Event::Read { partition: PARTITION, offset, value: tag });
                    *position = position.plus(1);
                }
                *asked += 1;
                let pause = stage.chance.millis(20, 300);
                stage.ring(pause, *id, 0, Alarm::Next);
            }
            _ => {}
        }
    }

    fn settle(&mut self, first: u64, result: Produced, stage: &mut Stage) {
        let Client::Producer { id, session, open, guess, .. } = self else { return };
        let Some(values) = open.take_if(|tags| tags[0].number == first) else { return };
        match result {
            Produced::At(base) => {
                stage.note(Event::Acked { partition: PARTITION, base: base.0, values });
            }
            Produced::Refused => {
                stage.note(Event::Refused { partition: PARTITION, values });
                *guess = 1 + *guess % stage.weather.brokers;
            }
            Produced::Unknown => {
                // It may be written yet, after what is sent next.
                *session += 1;
                *guess = 1 + *guess % stage.weather.brokers;
            }
        }
        let pause = stage.chance.millis(10, 200);
        stage.ring(pause, *id, 0, Alarm::Next);
    }
}

//! A judge that cannot condemn proves nothing: a sound run passes, and every way in which it is
//! spoilt is found out.

use std::collections::BTreeSet;

use history::{
    Cleanup, Event, FinalState, History, ReplicaBatch, ReplicaRecord, Verdict, checkers, judge,
};

const PARTITIONS: i32 = 2;
const BATCHES: usize = 40;

struct Run {
    events: Vec<Event>,
    end: FinalState,
}

impl Run {
    fn verdict(&self) -> Verdict {
        self.verdict_if_acked(10)
    }

    fn verdict_if_acked(&self, acks_min: usize) -> Verdict {
        let mut history = History::default();
        for event in &self.events {
            history.note(event.clone());
        }
        judge(&history, &self.end, acks_min)
    }

    fn event(&mut self, wanted: impl Fn(&Event) -> bool) -> &mut Event {
        self.events.iter_mut().find(|event| wanted(event)).expect("such an event")
    }

    fn records(&mut self) -> &mut Vec<(i64, String)> {
        self.end.records.get_mut(&0).expect("partition 0")
    }

    /// Does the same to what clients read and to every replica.
    fn everywhere(&mut self, spoil: impl Fn(&mut Vec<String>)) {
        let mut values: Vec<String> = self.records().iter().map(|(_, v)| v.clone()).collect();
        spoil(&mut values);
        let numbered = || (0_i64..).zip(values.clone());
        *self.records() = numbered().collect();
        self.end.bounds.insert(0, (0, values.len() as i64));
        for broker in 1..=3 {
            let record = |(offset, value)| ReplicaRecord { offset, leader_epoch: 1, value };
            self.end.replicas.insert((0, broker), numbered().map(record).collect());
        }
    }
}

/// Two producers a partition, in turn; a consumer; a group; three replicas.
fn sound() -> Run {
    let mut run = Run { events: Vec::new(), end: FinalState::default() };
    for batch in 0..BATCHES {
        let partition = batch as i32 % PARTITIONS;
        let producer = format!("p{}", batch % (2 * PARTITIONS as usize));
        let number = batch / (2 * PARTITIONS as usize) * 2;
        let values: Vec<String> = (number..number + 2).map(|n| format!("{producer}:{n}")).collect();
        let log = run.end.records.entry(partition).or_default();
        let base = log.len() as i64;
        log.extend((base..).zip(values.clone()));
        run.events.push(Event::Sent { partition, values: values.clone() });
        run.events.push(Event::Acked { partition, base, values: values.clone() });
        let value = values[0].clone();
        run.events.push(Event::Read { partition, offset: base, value });
        let group = || "g".to_owned();
        run.events.push(Event::CommitSent { group: group(), partition, offset: base });
        run.events.push(Event::Committed { group: group(), partition, offset: base });
        run.end.committed.insert((group(), partition), base);
        if batch == BATCHES / 2 {
            run.events.push(Event::Healed);
        }
    }
    run.events.push(Event::Assigned {
        group: "g".to_owned(),
        generation: 1,
        member: "a".to_owned(),
        partitions: vec![0, 1],
    });
    topics(&mut run);
    readers(&mut run);
    for (partition, log) in &run.end.records {
        run.end.bounds.insert(*partition, (0, log.len() as i64));
        let timestamp_of = |(offset, _): &(i64, String)| 1_000 + 10 * offset;
        run.end.timestamps.insert(*partition, log.iter().map(timestamp_of).collect());
        let looked_up = |record: &(i64, String)| (timestamp_of(record) - 5, record.0);
        run.end.by_timestamp.insert(*partition, log.iter().map(looked_up).collect());
        for broker in 1..=3 {
            let record = |(offset, value): &(i64, String)| ReplicaRecord {
                offset: *offset,
                leader_epoch: 1,
                value: value.clone(),
            };
            run.end.replicas.insert((*partition, broker), log.iter().map(record).collect());
        }
    }
    run
}

/// One that stays and one that goes.
fn topics(run: &mut Run) {
    let name = |name: &str| name.to_owned();
    run.events.push(Event::TopicCreated { name: name("t") });
    run.events.push(Event::TopicDeletionSent { name: name("gone") });
    run.events.push(Event::TopicDeleted { name: name("gone") });
    let names = BTreeSet::from([name("t")]);
    run.events.push(Event::TopicsListed { names: names.clone(), asked: run.events.len() });
    run.end.topics = names;
}

/// What only processes tell: clients that hand out what they fetched, an acknowledgement without
/// an offset, a log start, a start of the process; and batches instead of records.
fn readers(run: &mut Run) {
    let log = run.end.records[&0].clone();
    run.events.push(Event::Began { reader: "r".into(), partition: 0 });
    for (offset, value) in log.iter().take(8).cloned() {
        run.events.push(Event::Delivered { reader: "r".into(), partition: 0, offset, value });
    }
    let values = vec![log[3].1.clone()];
    run.events.push(Event::AckedSomewhere { partition: 0, values });
    run.events.push(Event::LogStart { partition: 0, offset: 0 });
    run.events.push(Event::Served { after_ms: 100, allowed_ms: 4_000 });
    let batch = |first| ReplicaBatch { first, last: first + 1, leader_epoch: 1, checksum: 7 };
    let batches: Vec<ReplicaBatch> = (0..log.len() as i64).step_by(2).map(batch).collect();
    run.end.batches = (1..=3).map(|broker| ((0, broker), batches.clone())).collect();
}

type Spoil = fn(&mut Run);

/// What is done, and which promise must be said to be broken.
const MUTATIONS: &[(&str, &str, Spoil)] = &[
    ("an acknowledged record is lost at the end", "acknowledged records", |run| {
        run.everywhere(|values| _ = values.pop());
    }),
    ("an acknowledged record is lost in the middle", "acknowledged records", |run| {
        run.everywhere(|values| _ = values.remove(5));
    }),
    ("an acknowledgement names another offset", "acknowledged records", |run| {
        let acked = run.event(|event| matches!(event, Event::Acked { partition: 0, .. }));
        if let Event::Acked { base, .. } = acked {
            *base += 1;
        }
    }),
    ("a record is written twice", "writes once", |run| {
        run.everywhere(|values| values.push(values[3].clone()));
    }),
    ("two records of a producer change places", "stay in order", |run| {
        run.everywhere(|values| values.swap(0, 1));
    }),
    ("a later batch lies in front of an acknowledged one", "lies after it", |run| {
        run.everywhere(|values| values.rotate_right(2));
    }),
    ("a record comes from nowhere", "from nowhere", |run| {
        run.everywhere(|values| values.push("ghost:1".to_owned()));
    }),
    ("a record turns up in another partition", "from nowhere", |run| {
        run.everywhere(|values| values.push("p1:0".to_owned()));
    }),
    ("a refused batch is there", "was refused", |run| {
        let values = vec!["p9:0".to_owned()];
        run.events.insert(0, Event::Sent { partition: 0, values: values.clone() });
        run.events.insert(1, Event::Refused { partition: 0, values });
        run.everywhere(|values| values.insert(0, "p9:0".to_owned()));
    }),
    ("an offset is missing", "dense", |run| _ = run.records().remove(7)),
    ("a replica holds another record", "same log", |run| {
        let log = run.end.replicas.get_mut(&(1, 2)).expect("a replica");
        log[4].value = "p1:77".to_owned();
    }),
    ("a replica's log is shorter", "same log", |run| {
        run.end.replicas.get_mut(&(1, 2)).expect("a replica").pop();
    }),
    ("two replicas have a record from different leaders", "same log", |run| {
        run.end.replicas.get_mut(&(1, 3)).expect("a replica")[4].leader_epoch = 2;
    }),
    ("a consumer was shown what never was committed", "same record", |run| {
        let read = run.event(|event| matches!(event, Event::Read { partition: 0, .. }));
        if let Event::Read { value, .. } = read {
            *value = "p0:99".to_owned();
        }
    }),
    ("a committed offset goes back", "committed offsets are kept", |run| {
        run.end.committed.insert(("g".to_owned(), 0), 0);
    }),
    ("a group finds an offset that nobody committed", "offset comes from nowhere", |run| {
        run.end.committed.insert(("g".to_owned(), 0), 7_000);
    }),
    ("two members own a partition", "one reader", |run| {
        run.events.push(Event::Assigned {
            group: "g".to_owned(),
            generation: 1,
            member: "b".to_owned(),
            partitions: vec![1],
        });
    }),
    ("a timestamp leads behind the first record that is as late", "indexes agree", |run| {
        run.end.by_timestamp.get_mut(&0).expect("partition 0")[6].1 += 1;
    }),
    ("a timestamp leads to nothing although there is a later record", "indexes agree", |run| {
        run.end.by_timestamp.get_mut(&1).expect("partition 1")[0].1 = -1;
    }),
    ("a topic is gone", "topics stay", |run| run.end.topics.clear()),
    ("a topic is gone for a while", "topics stay", |run| {
        let listed = run.event(|event| matches!(event, Event::TopicsListed { .. }));
        if let Event::TopicsListed { names, .. } = listed {
            names.clear();
        }
    }),
    ("a deleted topic comes back for a while", "topics stay", |run| {
        let listed = run.event(|event| matches!(event, Event::TopicsListed { .. }));
        if let Event::TopicsListed { names, .. } = listed {
            names.insert("gone".to_owned());
        }
    }),
    ("what was acknowledged without an offset is nowhere", "acknowledged records", |run| {
        let values = vec!["p9:0".to_owned()];
        run.events.push(Event::AckedSomewhere { partition: 0, values });
    }),
    (
        "one offset is promised to two records that are gone rightly",
        "acknowledged records",
        |run| {
            run.events.insert(0, Event::TrimSent { partition: 0, offset: 1 });
            run.end.bounds.insert(0, (1, run.end.bounds[&0].1));
            run.records().remove(0);
            let values = vec!["p9:0".to_owned()];
            run.events.push(Event::Acked { partition: 0, base: 0, values });
        },
    ),
    ("the last record of a key is gone", "acknowledged records", |run| {
        run.end.cleanup = Cleanup::Compact;
        run.records().pop();
    }),
    ("a compacted log tells an offset twice", "dense", |run| {
        run.end.cleanup = Cleanup::Compact;
        let again = run.records()[5].clone();
        run.records().insert(5, again);
    }),
    ("a client hands out what never was committed", "same record", |run| {
        let told = run.event(|event| matches!(event, Event::Delivered { offset: 2, .. }));
        if let Event::Delivered { value, .. } = told {
            *value = "p0:99".to_owned();
        }
    }),
    ("a client hands out what nobody sent", "from nowhere", |run| {
        let told = run.event(|event| matches!(event, Event::Delivered { offset: 2, .. }));
        if let Event::Delivered { value, .. } = told {
            *value = "ghost:1".to_owned();
        }
    }),
    ("a reader is not told a record", "told every record", |run| {
        run.events.retain(|event| !matches!(event, Event::Delivered { offset: 3, .. }));
    }),
    ("a reader is told a record again", "told every record", |run| {
        let told = run.event(|event| matches!(event, Event::Delivered { offset: 3, .. })).clone();
        run.events.push(told);
    }),
    ("a reader's place is gone", "told every record", |run| {
        run.events.push(Event::PlaceLost { reader: "r".into(), partition: 0 });
    }),
    ("a producer's sequence is refused", "numbers are taken", |run| {
        let why = "out of order".to_owned();
        run.events.push(Event::SequenceRefused { producer: "p0".to_owned(), why });
    }),
    ("a log start goes back", "a log starts", |run| {
        run.events.insert(0, Event::Trimmed { partition: 0, offset: 1 });
    }),
    ("a log starts where nobody asked", "a log starts", |run| {
        let told = run.event(|event| matches!(event, Event::LogStart { .. }));
        if let Event::LogStart { offset, .. } = told {
            *offset = 3;
        }
    }),
    ("who is up takes nothing", "serves soon", |run| {
        run.events.push(Event::Served { after_ms: 4_001, allowed_ms: 4_000 });
    }),
    ("a replica's batch is another one", "same log", |run| {
        run.end.batches.get_mut(&(0, 2)).expect("a replica")[2].checksum += 1;
    }),
    ("a replica's batches end early", "same log", |run| {
        run.end.batches.get_mut(&(0, 2)).expect("a replica").pop();
    }),
    ("a group resumes where nobody committed", "offset comes from nowhere", |run| {
        let asked = 0;
        let group = "g".to_owned();
        run.events.push(Event::Resumed { group, partition: 0, offset: 7_000, asked });
    }),
    ("a group resumes before its commit", "committed offsets are kept", |run| {
        let asked = run.events.len();
        let group = "g".to_owned();
        run.events.push(Event::Resumed { group, partition: 0, offset: 0, asked });
    }),
    ("a partition is not served after the faults", "all is served", |run| {
        let healed = run.events.iter().position(|event| *event == Event::Healed).expect("peace");
        let mut at = 0;
        run.events.retain(|event| {
            at += 1;
            at <= healed || !matches!(event, Event::Acked { partition: 1, .. })
        });
    }),
    ("a partition shows nothing that is written after the faults", "all is served", |run| {
        let healed = run.events.iter().position(|event| *event == Event::Healed).expect("peace");
        let mut at = 0;
        run.events.retain(|event| {
            at += 1;
            at <= healed || !matches!(event, Event::Read { partition: 1, .. })
        });
    }),
    ("all is served too late after the faults", "all is served", |run| {
        let healed = run.events.iter().position(|event| *event == Event::Healed).expect("peace");
        run.events.insert(healed + 1, Event::TooLate);
    }),
    ("nobody says that the faults are over", "all is served", |run| {
        run.events.retain(|event| *event != Event::Healed);
    }),
];

#[test]
fn a_sound_run_is_valid() {
    assert_eq!(sound().verdict(), Verdict::Valid);
}

#[test]
fn every_way_in_which_a_run_is_spoilt_is_found_out_and_named() {
    for (what, promise, spoil) in MUTATIONS {
        let mut run = sound();
        spoil(&mut run);
        let Verdict::Violated(broken) = run.verdict() else { panic!("not found out: {what}") };
        assert!(broken.iter().any(|why| why.contains(promise)), "{what}: {broken:#?}");
    }
}

#[test]
fn every_promise_has_a_way_to_break_it() {
    for (promise, _) in checkers::all::<String>() {
        let is_broken = MUTATIONS.iter().any(|(_, broken, _)| promise.contains(broken));
        assert!(is_broken, "no mutation breaks: {promise}");
    }
}

#[test]
fn a_run_that_hardly_wrote_is_no_proof() {
    let verdict = sound().verdict_if_acked(BATCHES + 1);
    assert!(matches!(verdict, Verdict::Unknown(_)), "{verdict:?}");
}

//! Three voters in one process, a thread each: commits a second, with memory logs or with files
//! that are synced. `cargo run --release -p consensus --example quorum_throughput [DIR]`

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use consensus::{
    ConsensusEngine, ControlBatch, EngineEvent, Epoch, LogBatch, MemoryLog, MetadataLog, NodeId,
    RaftEngine, RaftOptions, RaftTiming, Voter, VoterKey,
};
use types::{MonoTime, Offset, Uuid, WallTime};

const NOW: WallTime = WallTime(1_700_000_000_000);
const RECORD_BYTES: usize = 200;
const SPAN: Duration = Duration::from_secs(4);

/// Memory to read from, and a file that costs what a disk costs.
struct SyncedLog {
    log: MemoryLog,
    file: Option<File>,
}

impl SyncedLog {
    fn write(&mut self, bytes: usize) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(&vec![7; bytes]))
    }
}

impl MetadataLog for SyncedLog {
    fn log_start(&self) -> Offset {
        self.log.log_start()
    }

    fn log_end(&self) -> Offset {
        self.log.log_end()
    }

    fn last_epoch(&self) -> Epoch {
        self.log.last_epoch()
    }

    fn append(&mut self, epoch: Epoch, records: &[Bytes], now: WallTime) -> io::Result<Offset> {
        self.write(records.iter().map(|record| 80 + record.len()).sum())?;
        self.log.append(epoch, records, now)
    }

    fn append_control(
        &mut self,
        epoch: Epoch,
        control: &ControlBatch,
        now: WallTime,
    ) -> io::Result<Offset> {
        self.write(128)?;
        self.log.append_control(epoch, control, now)
    }

    fn truncate_to(&mut self, end: Offset, now: WallTime) -> io::Result<()> {
        self.log.truncate_to(end, now)
    }

    fn quorum_state(&self) -> io::Result<Option<Vec<u8>>> {
        self.log.quorum_state()
    }

    fn set_quorum_state(&mut self, state: &[u8]) -> io::Result<()> {
        self.log.set_quorum_state(state)
    }

    fn read(&self, from: Offset) -> io::Result<Option<LogBatch>> {
        self.log.read(from)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)?;
        self.log.sync()
    }
}

fn voter(id: i32, file: Option<File>) -> RaftEngine<SyncedLog> {
    let named = |id| VoterKey { id: NodeId(id), directory: Uuid::ZERO };
    let options = RaftOptions {
        voter: VoterKey { directory: Uuid([id as u8; 16]), ..named(id) },
        voters: (1..=3).map(|id| Voter { key: named(id), endpoints: Vec::new() }).collect(),
        endpoints: Vec::new(),
        timing: RaftTiming::default(),
        seed: 1,
    };
    let log = SyncedLog { log: MemoryLog::default(), file };
    RaftEngine::open(options, log, NOW, MonoTime(0)).expect("a fresh log opens")
}

/// Serves one voter until the time is over; returns how many of its proposals were committed.
fn serve(
    mut engine: RaftEngine<SyncedLog>,
    inbox: Receiver<Bytes>,
    peers: Vec<Sender<Bytes>>,
    window: i64,
) -> u64 {
    let began = Instant::now();
    let record = Bytes::from(vec![1; RECORD_BYTES]);
    let (mut reign, mut committed, mut open) = (None, 0, 0);
    while began.elapsed() < SPAN {
        let now = MonoTime(began.elapsed().as_nanos() as u64);
        engine.handle_timeout(now);
        if let Some((epoch, next)) = &mut reign {
            while open < window && engine.propose(*epoch, *next, vec![record.clone()], NOW).is_ok()
            {
                *next = next.plus(1);
                open += 1;
            }
        }
        loop {
            if let Some(message) = engine.poll_message() {
                let _ = peers[message.to.0 as usize - 1].send(message.bytes);
            } else if let Some(event) = engine.poll_event() {
                match event {
                    EngineEvent::Leader { epoch, next } => reign = Some((epoch, next)),
                    EngineEvent::Follow { .. } => (reign, open) = (None, 0),
                    EngineEvent::Committed(batch) if reign.is_some() => {
                        (open, committed) = (open - 1, committed + batch.records.len() as u64);
                    }
                    EngineEvent::Committed(_) | EngineEvent::Installed(_) => {}
                    EngineEvent::Fatal(error) => panic!("{error}"),
                }
            } else {
                break;
            }
        }
        match inbox.recv_timeout(Duration::from_millis(5)) {
            Ok(message) => {
                let more = std::iter::from_fn(|| inbox.try_recv().ok());
                for message in std::iter::once(message).chain(more) {
                    let _ = engine.handle_message(message);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    committed
}

fn main() {
    let dir = std::env::args().nth(1).map(PathBuf::from);
    for window in [1, 64, 1024] {
        let (senders, inboxes): (Vec<_>, Vec<_>) = (0..3).map(|_| channel()).unzip();
        let voters = inboxes.into_iter().zip(1..).map(|(inbox, id)| {
            let file = dir.as_ref().map(|dir| {
                File::create(dir.join(format!("voter-{id}"))).expect("the directory is writable")
            });
            let (engine, peers) = (voter(id, file), senders.clone());
            thread::spawn(move || serve(engine, inbox, peers, window))
        });
        let voters: Vec<_> = voters.collect();
        let committed: u64 = voters.into_iter().map(|voter| voter.join().expect("it ran")).sum();
        let a_second = committed as f64 / (SPAN.as_secs_f64() - 0.7);
        println!("{window} in flight: about {a_second:.0} commits a second");
    }
}

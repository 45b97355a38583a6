//! A lone producer that sends a record at a time, beside a program that only makes it durable.

pub mod least;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use ::load::answers;
use ::load::frames::{ACKS_ALL, PRODUCE_MAX};
use protocol::frame;

use super::{PARTITIONS, spread};
use crate::batches::{BatchShape, produce_frame};
use crate::options::DurableOptions;
use crate::report;
use crate::server::{Running, Server};
use crate::wire::{TOPIC, create_topic_with};
use crate::{Outcome, wire};

const BATCH: BatchShape = BatchShape { batch_bytes: 0, value_bytes: 100 };
/// All take turns: so many of each, so often.
const SLICE: u32 = 200;
const SLICES: usize = 24;
const ANSWER_BYTES_MAX: usize = 4 << 10;
/// What the least write to the commit journal is.
const PAGE_BYTES: usize = 4 << 10;
/// Both halves of a node's journal.
const JOURNAL_BYTES: usize = 64 << 20;
/// Slices before what counts: the journal has been written through then, and its blocks are not
/// filled ahead any more.
const AHEAD: usize = JOURNAL_BYTES / (SLICE as usize * PAGE_BYTES) + 1;
const BARE_BYTES: u64 = 8 << 20;

/// How long one record takes, and that beside a bare write and `fdatasync`: medians of the slices.
#[derive(Clone, Copy)]
pub struct Lone {
    pub micros: f64,
    pub of_bare: f64,
}

/// `bench durable --lone`: nodes in turn, and the least that a server can do.
pub fn compare(options: &DurableOptions, servers: &[Server]) -> Outcome<()> {
    let mut all: Vec<Vec<Lone>> = servers.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        eprintln!("round {}", round + 1);
        let started: Vec<_> = servers
            .iter()
            .map(|server| {
                let running = server.start(&options.dir)?;
                if !server.is_least() {
                    let config = [("durability", "fsync")];
                    create_topic_with(running.address, TOPIC, PARTITIONS, &config)?;
                }
                Ok(running)
            })
            .collect::<Outcome<_>>()?;
        for (lone, figures) in measure(&options.dir, &started)?.into_iter().zip(&mut all) {
            figures.push(lone);
        }
    }
    println!("| lone producer | µs | of a bare write and fdatasync |");
    println!("| --- | --- | --- |");
    for (server, figures) in servers.iter().zip(&all) {
        let micros = spread(figures.iter().map(|lone| lone.micros));
        println!("| {} | {micros} | {} |", server.name, spread(figures.iter().map(|l| l.of_bare)));
    }
    Ok(())
}

/// One for each server; they take turns.
pub fn measure(dir: &Path, servers: &[Running]) -> Outcome<Vec<Lone>> {
    let mut bare = Bare::in_dir(dir).map_err(|error| format!("bare fdatasync: {error}"))?;
    let mut producers: Vec<_> = servers.iter().map(Producer::connect).collect::<Outcome<_>>()?;
    for _ in 0..AHEAD {
        producers.iter_mut().try_for_each(|producer| producer.micros().map(drop))?;
    }
    let mut figures = vec![(Vec::new(), Vec::new()); servers.len()];
    for _ in 0..SLICES {
        let bare = bare.micros().map_err(|error| format!("bare fdatasync: {error}"))?;
        for (producer, (micros, ratios)) in producers.iter_mut().zip(&mut figures) {
            micros.push(producer.micros()?);
            ratios.extend(micros.last().map(|lone| lone / bare));
        }
    }
    let median = |values: &[f64]| report::spread(values).map(|(_, median, _)| median);
    let lone = figures
        .iter()
        .map(|(micros, ratios)| Some(Lone { micros: median(micros)?, of_bare: median(ratios)? }));
    lone.collect::<Option<_>>().ok_or_else(|| "the lone producer was not measured".to_owned())
}

/// Sends a record and waits for its answer, again and again. It does nothing else, so that what is
/// measured is the node.
struct Producer {
    socket: TcpStream,
    request: Vec<u8>,
    answer: [u8; ANSWER_BYTES_MAX],
}

impl Producer {
    fn connect(running: &Running) -> Outcome<Producer> {
        let open = || -> std::io::Result<TcpStream> {
            let socket = TcpStream::connect(running.address)?;
            socket.set_nodelay(true)?;
            Ok(socket)
        };
        let socket = open().map_err(|error| format!("connect the lone producer: {error}"))?;
        let request = produce_frame(0..1, &BATCH.build(), ACKS_ALL)?;
        Ok(Producer { socket, request, answer: [0; ANSWER_BYTES_MAX] })
    }

    /// From the sending of a record to its acknowledgement, the mean of a slice.
    fn micros(&mut self) -> Outcome<f64> {
        let mut took = Duration::ZERO;
        for _ in 0..SLICE {
            let started = Instant::now();
            let length = self.exchange().map_err(|error| format!("the lone producer: {error}"))?;
            took += started.elapsed();
            let answer = &self.answer[frame::PREFIX_BYTES..length];
            let error = answers::produce_error(answer, PRODUCE_MAX);
            wire::check(error.ok_or("an answer that cannot be read")?)?;
        }
        Ok(took.as_secs_f64() * 1e6 / f64::from(SLICE))
    }

    /// Returns how long the answer is. It comes in one read, where [`wire::call`] takes two and
    /// memory: that would be part of what is measured.
    fn exchange(&mut self) -> std::io::Result<usize> {
        self.socket.write_all(&self.request)?;
        let (mut had, mut wanted) = (0, frame::PREFIX_BYTES);
        while had < wanted {
            match self.socket.read(&mut self.answer[had..])? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                read => had += read,
            }
            if let (true, Some(prefix)) =
                (wanted == frame::PREFIX_BYTES, self.answer[..had].first_chunk())
            {
                let length = frame::length(*prefix, ANSWER_BYTES_MAX - frame::PREFIX_BYTES);
                wanted += length.map_err(std::io::Error::other)?;
            }
        }
        Ok(wanted)
    }
}

/// A file whose blocks are there and written, as a recycled journal's are.
struct Bare {
    file: File,
    _dir: tempfile::TempDir,
    at: u64,
}

impl Bare {
    fn in_dir(dir: &Path) -> std::io::Result<Bare> {
        let made = tempfile::tempdir_in(dir)?;
        let path = made.path().join("bare");
        let file = filled(&path)?;
        Ok(Bare { file, _dir: made, at: 0 })
    }

    /// Of one write and one sync.
    fn micros(&mut self) -> std::io::Result<f64> {
        let started = Instant::now();
        for _ in 0..SLICE {
            self.file.write_all_at(&[2; PAGE_BYTES], self.at)?;
            self.file.sync_data()?;
            self.at = (self.at + PAGE_BYTES as u64) % BARE_BYTES;
        }
        Ok(started.elapsed().as_secs_f64() * 1e6 / f64::from(SLICE))
    }
}

/// A file whose blocks have been written once.
fn filled(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().create_new(true).write(true).open(path)?;
    file.write_all_at(&vec![1; BARE_BYTES as usize], 0)?;
    file.sync_all()?;
    Ok(file)
}

//! One cleaner: takes a log, cleans it piece by piece on its lane, and looks for the next.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use config::CleanerConfig;
use env::{Background, Clock, Disk, Env, Lane, Rng};
use storage::cleaner::{
    CleanerSettings, Cleaning, CleaningError, CleaningReport, Placed, Step, ToClean,
};
use types::MonoTime;

use crate::limits::CLEANING_PIECE_BYTES;
use crate::node::Node;
use crate::partitions::Partition;
use crate::timers::Expire;

pub(super) struct Cleaner<E: Env> {
    node: Weak<Node<E>>,
    number: usize,
    /// For its own jobs only: a piece at a time, so that a closing node waits for a piece at most.
    lane: <E::Background as Background>::Lane,
    is_busy: AtomicBool,
    work: Mutex<Option<Work<E::Disk>>>,
}

/// A log that is being cleaned.
struct Work<D: Disk> {
    partition: Arc<Partition<D>>,
    cleaning: Cleaning<D>,
    began: MonoTime,
}

/// What comes after a piece.
enum Next {
    /// Another piece, once so many bytes may have been read and written.
    After(u64),
    /// The log is done, or given up.
    Another,
}

impl<E: Env> Cleaner<E> {
    pub(super) fn new(
        node: Weak<Node<E>>,
        number: usize,
        lane: <E::Background as Background>::Lane,
    ) -> Cleaner<E> {
        let (is_busy, work) = (AtomicBool::new(false), Mutex::new(None));
        Cleaner { node, number, lane, is_busy, work }
    }

    /// Nothing if it has work.
    pub(super) fn look_for_work(self: Arc<Self>) {
        if !self.is_busy.swap(true, Ordering::AcqRel) {
            self.go_on();
        }
    }

    fn go_on(self: Arc<Self>) {
        let lane = self.lane.clone();
        lane.run(Box::new(move || self.run_piece()));
    }

    fn run_piece(self: Arc<Self>) {
        let Some(node) = self.node.upgrade() else { return };
        let config = node.settings.for_cleaners(&node.metadata.image());
        let threads = usize::try_from(config.threads).unwrap_or(0);
        let may_work = config.enable && self.number < threads;
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
        let began = node.env().clock().mono();
        let next = match work {
            Some(work) if may_work => self.piece(&node, work, &config),
            Some(work) => {
                give_up(&node, work);
                Next::Another
            }
            None => {
                let found = may_work.then(|| node.cleaners.take_dirtiest(&node)).flatten();
                let Some((partition, to_clean)) = found else {
                    self.is_busy.store(false, Ordering::Release);
                    return;
                };
                self.begin(&node, partition, &to_clean, &config);
                Next::Another
            }
        };
        match next {
            Next::After(bytes) => {
                let rate = config.io_max_bytes_per_second / f64::from(config.threads.max(1));
                let pause = pause(bytes, rate);
                // Not sleeping: the lane is free until the time has come.
                match pause.is_zero() {
                    true => self.go_on(),
                    false => _ = node.timers.register(began.plus(pause), self),
                }
            }
            Next::Another => self.go_on(),
        }
    }

    fn begin(
        &self,
        node: &Node<E>,
        partition: Arc<Partition<E::Disk>>,
        to_clean: &ToClean,
        config: &CleanerConfig,
    ) {
        let now = node.env().clock().wall();
        let share = config.dedupe_buffer_size.max(0) / i64::from(config.threads.max(1));
        let settings = CleanerSettings {
            dedupe_buffer_bytes: share as u64,
            load_factor: config.io_buffer_load_factor,
            secret: node.env().rng().bytes16(),
        };
        let flusher = partition.with_log(now, |log| log.flusher());
        // Beside appends, which go on.
        let flushed = flusher.map(|flusher| flusher.flush_to(to_clean.flush_to));
        let begun = match flushed {
            Some(Ok(_)) => {
                partition.with_log(now, |log| log.begin_cleaning(to_clean, &settings, now))
            }
            Some(Err(error)) => Some(Err(error)),
            None => None,
        };
        match begun {
            Some(Ok(Some(cleaning))) => {
                let began = node.env().clock().mono();
                let work = Work { partition, cleaning, began };
                *self.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
            }
            Some(Err(error)) => {
                node.cleaners.quarantine(node, &partition, error.to_string());
                node.cleaners.give_back(&partition);
            }
            Some(Ok(None)) => {
                // Not durable after all, which a flush should have made it: not at once again.
                let why = "it could not be made durable".to_owned();
                node.cleaners.quarantine(node, &partition, why);
                node.cleaners.give_back(&partition);
            }
            None => node.cleaners.give_back(&partition),
        }
    }

    fn piece(&self, node: &Node<E>, mut work: Work<E::Disk>, config: &CleanerConfig) -> Next {
        // A tenth of a second's worth, so that a slow rate is even and not bursts.
        let piece = (config.io_max_bytes_per_second / 10.0).min(CLEANING_PIECE_BYTES as f64);
        let clock = node.env().clock();
        let began = clock.mono();
        let step = work.cleaning.step(piece.max(1.0) as u64);
        let spent = clock.mono().since(began);
        work.partition.reader().dir_metrics().cleaner_time.add(spent);
        let done = match step {
            Ok(Step::Worked(bytes)) => {
                *self.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
                return Next::After(bytes);
            }
            Ok(Step::Ready) => match put_in_place(node, &mut work) {
                Ok(()) => {
                    *self.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
                    return Next::After(0);
                }
                Err(error) => Err(error),
            },
            Ok(Step::Done) => finish(node, &work),
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => {
                log_report(node, &work);
                node.cleaners.give_back(&work.partition);
            }
            Err(CleaningError::Moved) => give_up(node, work),
            Err(CleaningError::Storage(error)) => {
                node.cleaners.quarantine(node, &work.partition, error.to_string());
                give_up(node, work);
            }
        }
        Next::Another
    }
}

impl<E: Env> Expire for Cleaner<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        self.go_on();
    }
}

/// How long `bytes` take at `rate` a second.
fn pause(bytes: u64, rate: f64) -> Duration {
    let seconds = bytes as f64 / rate.max(1.0);
    match seconds < 1e-6 {
        true => Duration::ZERO,
        false => Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
    }
}

fn put_in_place<E: Env>(node: &Node<E>, work: &mut Work<E::Disk>) -> Result<(), CleaningError> {
    let now = node.env().clock().wall();
    let cleaning = &mut work.cleaning;
    let placed = work.partition.with_log(now, |log| {
        let placed = log.put_in_place(cleaning)?;
        Ok((placed, log.take_deleted()))
    });
    let (placed, deleted) = placed.unwrap_or(Err(CleaningError::Moved))?;
    for path in deleted {
        // Whoever still reads it has it open. One that stays goes when the log is opened.
        if let Err(error) = node.env().disk().remove_file(&path) {
            log::warn!(target: "kafka.log.LogCleaner", "cannot remove {}: {error}", path.display());
        }
    }
    match placed {
        Placed::InPlace => Ok(()),
        Placed::Moved => Err(CleaningError::Moved),
    }
}

fn finish<E: Env>(node: &Node<E>, work: &Work<E::Disk>) -> Result<(), CleaningError> {
    let now = node.env().clock().wall();
    let finished = work.partition.with_log(now, |log| log.finish_cleaning(&work.cleaning));
    Ok(finished.unwrap_or(Ok(()))?)
}

fn give_up<E: Env>(node: &Node<E>, work: Work<E::Disk>) {
    if let Err(error) = work.cleaning.give_up() {
        log::warn!(target: "kafka.log.LogCleaner", "{}: {error}", work.partition.id);
    }
    node.cleaners.give_back(&work.partition);
}

fn log_report<E: Env>(node: &Node<E>, work: &Work<E::Disk>) {
    let CleaningReport { bytes_read, bytes_written, keys, .. } = work.cleaning.report();
    let report = work.cleaning.report();
    let took = node.env().clock().mono().since(work.began);
    work.partition.reader().dir_metrics().cleanings.increment();
    log::info!(
        target: "kafka.log.LogCleaner",
        "{}: {} bytes in {} segments became {} in {}, up to offset {}; {keys} keys, {bytes_read} \
         bytes read, {bytes_written} written in {} ms",
        work.partition.id, report.bytes_before, report.segments_before, report.bytes_after,
        report.segments_after, work.cleaning.cleaned_to(), took.as_millis()
    );
}

use std::collections::BTreeMap;
use std::time::Duration;

use config::MembershipConfig;
use metadata::{BrokerEpoch, BrokerImage, ClusterDelta, MetadataImage};
use types::{BrokerId, MonoTime, Offset};

use crate::limits::{CONNECTION_LOSS_GRACE, LISTENING_STEP};

/// How long silence means life. docs/adr/0012 has the figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct SessionTiming {
    /// Without a word for so long a broker is fenced.
    session: Duration,
    /// The same for a broker whose connection has ended and that has not come back.
    after_connection_loss: Duration,
}

/// Which brokers the active controller has heard of lately: soft state, gone with the reign.
///
/// Nothing here is ever needed for safety, which rests on epochs. A session that ends too early
/// costs a failover, one that ends too late costs a wait.
///
/// **Time is listening time.** Silence counts only while the controller listens: a step of more
/// than [`LISTENING_STEP`] between two calls is a pause of the controller itself (a frozen virtual
/// machine, a long decision, a busy host), and brokers are not blamed for it. What they said
/// meanwhile is taken in before their silence can have grown long enough.
#[doc(alias = "BrokerHeartbeatManager")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Liveness {
    timing: SessionTiming,
    /// `None` outside a reign.
    reign: Option<Reign>,
}

#[derive(Clone, Debug)]
struct Reign {
    /// When the controller last looked up.
    looked_at: MonoTime,
    /// For how long it has listened since the reign began.
    listened: Duration,
    /// What had been committed when the reign began.
    began_at: Offset,
    sessions: BTreeMap<BrokerId, Session>,
}

#[derive(Clone, Debug)]
struct Session {
    epoch: BrokerEpoch,
    /// In listening time.
    last_contact: Duration,
    /// How long it is known to have been silent before the reign began.
    silent_before: Duration,
    /// In listening time: when the connection ended after the last contact.
    connection_lost: Option<Duration>,
    /// `false` if nothing says that the incarnation lives: it belongs to this very process, which
    /// has just started or has not spoken to itself yet.
    is_presumed_alive: bool,
    /// The broker has asked to stop.
    wants_to_stop: bool,
    /// What the broker last said that it had applied; [`Offset::NONE`] in a reign that has not
    /// heard of it.
    metadata_offset: Offset,
    /// Where the log was when the broker had handed over what it led.
    shutdown_offset: Option<Offset>,
    /// Where the log was when the broker had fallen out of service in this reign.
    fenced_offset: Option<Offset>,
}

impl Liveness {
    pub(crate) fn new(config: &MembershipConfig) -> Liveness {
        let session = u64::try_from(config.broker_session_timeout_ms).unwrap_or(0);
        let session = Duration::from_millis(session);
        let after_connection_loss = CONNECTION_LOSS_GRACE.min(session);
        Liveness { timing: SessionTiming { session, after_connection_loss }, reign: None }
    }

    /// Every broker in service gets a full session: nothing is known of how long it was silent.
    /// `own` is the broker that lives in this process, if there is one: what is registered under
    /// its id may be a process before this one, and must not keep it out.
    pub(crate) fn start_reign(&mut self, now: MonoTime, image: &MetadataImage, own: BrokerId) {
        let last_offset = image.provenance.last_offset;
        let session = |broker: &BrokerImage| Session {
            is_presumed_alive: broker.id != own,
            shutdown_offset: broker.in_controlled_shutdown.then_some(last_offset),
            ..Session::new(broker.epoch, Duration::ZERO)
        };
        let sessions = image.cluster.unfenced_brokers().map(|b| (b.id, session(b))).collect();
        let (looked_at, listened, began_at) = (now, Duration::ZERO, last_offset);
        self.reign = Some(Reign { looked_at, listened, began_at, sessions });
    }

    /// The reign has just begun, and the process of broker `id` had been silent for so long before:
    /// that counts, so that a controller that froze does not keep its leaderships for the time of
    /// an election and a session. It keeps a third of a session to find the next controller, and
    /// what is left of a lease that it may have given itself when a majority heard it last,
    /// `missed` ago, though this node did not: two thirds of a session (docs/adr/0012, point 7).
    pub(crate) fn begin_silent(&mut self, id: BrokerId, silent: Duration, missed: Duration) {
        let session = self.timing.session;
        let silent_before = silent.min(session * 2 / 3).min(session / 3 + missed);
        let session = self.reign.as_mut().and_then(|reign| reign.sessions.get_mut(&id));
        if let Some(session) = session.filter(|session| session.last_contact.is_zero()) {
            session.silent_before = silent_before;
        }
    }

    pub(crate) fn end_reign(&mut self) {
        self.reign = None;
    }

    /// Takes in committed changes of registrations; `last_offset` is that of their batch.
    pub(crate) fn apply(&mut self, delta: &ClusterDelta, last_offset: Offset) {
        let Some(reign) = &mut self.reign else { return };
        for (id, broker) in delta.brokers() {
            let Some(broker) = broker else {
                reign.sessions.remove(id);
                continue;
            };
            let session = reign.session(*id, broker.epoch);
            session.shutdown_offset = match session.shutdown_offset {
                _ if !broker.in_controlled_shutdown => None,
                known => known.or(Some(last_offset)),
            };
            session.fenced_offset = match session.fenced_offset {
                _ if !broker.fenced => None,
                known => known.or(Some(last_offset)),
            };
        }
    }

    /// The broker, registered with `epoch`, has said something at `now`.
    pub(crate) fn touch(&mut self, id: BrokerId, epoch: BrokerEpoch, now: MonoTime) {
        self.listen(now);
        let Some(reign) = &mut self.reign else { return };
        let listened = reign.listened;
        let session = reign.session(id, epoch);
        session.last_contact = listened;
        session.silent_before = Duration::ZERO;
        session.connection_lost = None;
        session.is_presumed_alive = true;
    }

    /// How far the broker has applied the metadata log, and whether it means to stop.
    pub(crate) fn note(&mut self, id: BrokerId, applied: Offset, wants_to_stop: bool) {
        let reign = self.reign.as_mut();
        if let Some(session) = reign.and_then(|reign| reign.sessions.get_mut(&id)) {
            session.metadata_offset = session.metadata_offset.max(applied);
            session.wants_to_stop = wants_to_stop;
        }
    }

    /// A connection of the broker has ended without a goodbye.
    pub(crate) fn lose_connection(&mut self, id: BrokerId, epoch: BrokerEpoch, now: MonoTime) {
        self.listen(now);
        let Some(reign) = &mut self.reign else { return };
        if let Some(session) = reign.sessions.get_mut(&id).filter(|s| s.epoch == epoch) {
            session.connection_lost.get_or_insert(reign.listened);
        }
    }

    /// The process is known to be gone: nobody listens where the broker did.
    pub(crate) fn lose_process(&mut self, id: BrokerId, epoch: BrokerEpoch) {
        let Some(reign) = &mut self.reign else { return };
        if reign.sessions.get(&id).is_some_and(|session| session.epoch == epoch) {
            reign.sessions.remove(&id);
        }
    }

    /// Whether the incarnation that is registered must be taken to be alive. One that was allowed
    /// to stop is not.
    pub(crate) fn is_live(&self, broker: &BrokerImage) -> bool {
        let Some(reign) = &self.reign else { return false };
        let session = reign.sessions.get(&broker.id).filter(|s| s.epoch == broker.epoch);
        session.is_some_and(|session| {
            session.is_presumed_alive
                && !(session.wants_to_stop && broker.fenced)
                && session.connection_lost.is_none()
                && !session.has_ended(&self.timing, reign.listened)
        })
    }

    /// The broker in service that has been silent for too long; the longest silent first.
    pub(crate) fn stale(&mut self, now: MonoTime, image: &MetadataImage) -> Option<BrokerId> {
        self.listen(now);
        let reign = self.reign.as_ref()?;
        let silent = image.cluster.unfenced_brokers().filter_map(|broker| {
            match reign.sessions.get(&broker.id) {
                None => Some((Duration::ZERO, broker.id)),
                Some(session) => session
                    .has_ended(&self.timing, reign.listened)
                    .then_some((session.last_contact, broker.id)),
            }
        });
        silent.min().map(|(_, id)| id)
    }

    /// Whether an incarnation, as far as time has been listened to, has been silent for too long.
    pub(crate) fn is_stale(&self, id: BrokerId, epoch: BrokerEpoch) -> bool {
        let Some(reign) = &self.reign else { return false };
        let session = reign.sessions.get(&id).filter(|session| session.epoch == epoch);
        session.is_none_or(|session| session.has_ended(&self.timing, reign.listened))
    }

    /// When to look again, if nothing happens before: when the next session ends, and often enough
    /// to have listened.
    pub(crate) fn next_look(&self) -> Option<MonoTime> {
        let reign = self.reign.as_ref()?;
        let left = |session: &Session| session.left(&self.timing, reign.listened);
        let next = reign.sessions.values().map(left).filter(|left| !left.is_zero()).min();
        Some(reign.looked_at.plus(next.unwrap_or(LISTENING_STEP).min(LISTENING_STEP)))
    }

    /// What every active broker is known to have applied; nothing holds back where none is active.
    pub(crate) fn lowest_active_offset(&self, image: &MetadataImage) -> Offset {
        let active = image.cluster.brokers().filter(|broker| broker.is_active());
        let offsets = active.map(|broker| {
            let reign = self.reign.as_ref();
            let session = reign.and_then(|reign| reign.sessions.get(&broker.id));
            session.map_or(Offset::NONE, |session| session.metadata_offset)
        });
        offsets.min().unwrap_or(Offset(i64::MAX))
    }

    /// Where the log was when the broker had handed over; beyond every offset if it has not.
    pub(crate) fn shutdown_offset(&self, id: BrokerId) -> Offset {
        let session = self.reign.as_ref().and_then(|reign| reign.sessions.get(&id));
        session.and_then(|session| session.shutdown_offset).unwrap_or(Offset(i64::MAX))
    }

    /// What a fenced broker must have applied to know that it leads nothing: nobody may put it back
    /// into service before.
    pub(crate) fn fenced_offset(&self, id: BrokerId) -> Offset {
        let Some(reign) = &self.reign else { return Offset(i64::MAX) };
        let session = reign.sessions.get(&id);
        session.and_then(|session| session.fenced_offset).unwrap_or(reign.began_at)
    }

    fn listen(&mut self, now: MonoTime) {
        let Some(reign) = &mut self.reign else { return };
        reign.listened += now.since(reign.looked_at).min(LISTENING_STEP * 2);
        reign.looked_at = reign.looked_at.max(now);
    }
}

impl Reign {
    /// The session of an incarnation; one that begins now unless it is known.
    fn session(&mut self, id: BrokerId, epoch: BrokerEpoch) -> &mut Session {
        let begun = Session::new(epoch, self.listened);
        let session = self.sessions.entry(id).or_insert_with(|| begun.clone());
        if session.epoch != epoch {
            *session = begun;
        }
        session
    }
}

impl Session {
    fn new(epoch: BrokerEpoch, listened: Duration) -> Session {
        Session {
            epoch,
            last_contact: listened,
            silent_before: Duration::ZERO,
            connection_lost: None,
            is_presumed_alive: true,
            wants_to_stop: false,
            metadata_offset: Offset::NONE,
            shutdown_offset: None,
            fenced_offset: None,
        }
    }

    fn has_ended(&self, timing: &SessionTiming, listened: Duration) -> bool {
        self.left(timing, listened).is_zero()
    }

    /// How long the broker may still be silent, in listening time.
    fn left(&self, timing: &SessionTiming, listened: Duration) -> Duration {
        let silence = listened.saturating_sub(self.last_contact) + self.silent_before;
        let session = timing.session.saturating_sub(silence);
        let to_come_back = self
            .connection_lost
            .map(|lost| timing.after_connection_loss.saturating_sub(listened.saturating_sub(lost)));
        to_come_back.map_or(session, |left| left.min(session))
    }
}

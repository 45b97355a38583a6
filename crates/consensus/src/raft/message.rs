//! Raft's messages in our own encoding.   docs/formats/voter-messages.md
//!
//! ```text
//! version u8 = 1 | kind u8 | from: Raft id u64, node i32, directory 16 | to: the same | body |
//! crc32c u32 of all before it.   The body, by kind:
//!   0 raft:           type u8 | term | log term | index | commit | commit term | reject u8 |
//!                     hint | request snapshot (all u64) | priority i64 | context |
//!                     count u32, entries
//!     entry:          kind u8 | term u64 | payload
//!   1 not that voter: the directory that the sender of this knows instead
//!   2 observe:        relayed u8 | the sender as a list of one voter
//!   3 told:           the voters
//!   4 offer:          term | index | snapshot | voters | count u32, retired Raft ids |
//!                   count u32, (node i32, directory)*
//!   5 ask:            snapshot | position u64
//!   6 part:           snapshot | size u64 | position u64 | bytes
//!     snapshot:       end offset i64 | term u64
//! ```
//!
//! An entry's index is its place: the message's index and how many are before it. A message whose
//! entries do not follow its index cannot be written down, so cannot be sent.

use bytes::Bytes;
use raft::eraftpb::{Entry, EntryType, Message, MessageType};
use types::{Offset, Uuid};

use super::payload::Payload;
use super::store::{epoch_of, term_of};
use super::transfer::{Offer, Part};
use super::wire::{Parsed, Reader, Writer};
use crate::limits::{MESSAGE_BYTES_MAX, REMEMBERED_MAX};
use crate::{LogMark, MessageError, NodeId, Voter, VoterEndpoint, VoterKey};

const VERSION: u8 = 1;
const RAFT: u8 = 0;
const NOT_THAT_VOTER: u8 = 1;
const OBSERVE: u8 = 2;
const TOLD: u8 = 3;
const OFFER: u8 = 4;
const ASK: u8 = 5;
const PART: u8 = 6;

/// The longest context is that of a transferred candidacy, 16 bytes.
const CONTEXT_BYTES_MAX: usize = 64;

/// A voter as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) raft_id: u64,
    pub(super) node: NodeId,
    /// Zero if the sender does not know it.
    pub(super) directory: Uuid,
}

#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Raft(Box<Message>),
    /// The receiver's directory is not the one by which the sender knows it.
    NotThatVoter {
        known: Uuid,
    },
    /// The sender, which does not vote, wants to be sent the log.
    Observe {
        endpoints: Vec<VoterEndpoint>,
        /// It came by another node than the sender.
        is_relayed: bool,
    },
    /// Where voters listen, for one that observes.
    Told {
        voters: Vec<Voter>,
    },
    /// The receiver is behind the sender's log, and this snapshot is there.
    Offer(Offer),
    /// The sender wants a part of a snapshot.
    Ask {
        of: LogMark,
        position: u64,
    },
    Part(Part),
}

/// What Raft says over the network; the number is its place here.
const TYPES: [MessageType; 9] = [
    MessageType::MsgAppend,
    MessageType::MsgAppendResponse,
    MessageType::MsgHeartbeat,
    MessageType::MsgHeartbeatResponse,
    MessageType::MsgRequestVote,
    MessageType::MsgRequestVoteResponse,
    MessageType::MsgRequestPreVote,
    MessageType::MsgRequestPreVoteResponse,
    MessageType::MsgTimeoutNow,
];

impl Envelope {
    /// # Panics
    /// If Raft made a message that is not to be: entries that do not follow its index, or a type
    /// that does not travel.
    pub(super) fn encode(&self) -> Bytes {
        let mut out = Writer::with_capacity(160 + self.body.bytes());
        out.u8(VERSION);
        out.u8(match self.body {
            Body::Raft(_) => RAFT,
            Body::NotThatVoter { .. } => NOT_THAT_VOTER,
            Body::Observe { .. } => OBSERVE,
            Body::Told { .. } => TOLD,
            Body::Offer(_) => OFFER,
            Body::Ask { .. } => ASK,
            Body::Part(_) => PART,
        });
        for address in [self.from, self.to] {
            out.u64(address.raft_id);
            out.node(address.node);
            out.uuid(address.directory);
        }
        match &self.body {
            Body::Raft(message) => write_message(&mut out, message),
            Body::NotThatVoter { known } => out.uuid(*known),
            Body::Observe { endpoints, is_relayed } => {
                out.u8(u8::from(*is_relayed));
                let key = VoterKey { id: self.from.node, directory: self.from.directory };
                out.voters(&[Voter { key, endpoints: endpoints.clone() }]);
            }
            Body::Told { voters } => out.voters(voters),
            Body::Offer(offer) => write_offer(&mut out, offer),
            Body::Ask { of, position } => {
                write_mark(&mut out, *of);
                out.u64(*position);
            }
            Body::Part(part) => {
                write_mark(&mut out, part.of);
                out.u64(part.size);
                out.u64(part.position);
                out.bytes(&part.bytes);
            }
        }
        out.finish_with_checksum()
    }

    pub(super) fn decode(bytes: Bytes) -> Parsed<Envelope> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(MessageError::Malformed("it is longer than any"));
        }
        let mut reader = Reader::with_checksum(bytes)?;
        if reader.u8()? != VERSION {
            return Err(MessageError::Malformed("it is of a version that came later"));
        }
        let kind = reader.u8()?;
        let mut address = || {
            let (raft_id, node) = (reader.u64()?, reader.node()?);
            Ok(Address { raft_id, node, directory: reader.uuid()? })
        };
        let (from, to): (Address, Address) = (address()?, address()?);
        let body = match kind {
            RAFT => {
                let mut message = read_message(&mut reader)?;
                (message.from, message.to) = (from.raft_id, to.raft_id);
                Body::Raft(Box::new(message))
            }
            NOT_THAT_VOTER => Body::NotThatVoter { known: reader.uuid()? },
            OBSERVE => {
                let is_relayed = reader.bool()?;
                let key = VoterKey { id: from.node, directory: from.directory };
                match <[Voter; 1]>::try_from(reader.voters()?) {
                    Ok([voter]) if voter.key == key => {
                        Body::Observe { endpoints: voter.endpoints, is_relayed }
                    }
                    _ => return Err(MessageError::Malformed("it observes for another")),
                }
            }
            TOLD => Body::Told { voters: reader.voters()? },
            OFFER => Body::Offer(read_offer(&mut reader)?),
            ASK => Body::Ask { of: read_mark(&mut reader)?, position: reader.u64()? },
            PART => {
                let (of, size) = (read_mark(&mut reader)?, reader.u64()?);
                Body::Part(Part { of, size, position: reader.u64()?, bytes: reader.bytes()? })
            }
            _ => return Err(MessageError::Malformed("it is of an unknown kind")),
        };
        reader.end()?;
        Ok(Envelope { from, to, body })
    }
}

impl Body {
    fn bytes(&self) -> usize {
        match self {
            Body::Raft(message) => message.entries.iter().map(|entry| 16 + entry.data.len()).sum(),
            Body::NotThatVoter { .. } => 16,
            Body::Observe { .. } | Body::Told { .. } => 256,
            Body::Part(part) => part.bytes.len(),
            Body::Offer(offer) => 64 * offer.voters.len() + 8 * offer.retired.len(),
            Body::Ask { .. } => 24,
        }
    }
}

fn write_mark(out: &mut Writer, mark: LogMark) {
    out.i64(mark.end.0);
    out.u64(term_of(mark.epoch));
}

fn read_mark(reader: &mut Reader) -> Parsed<LogMark> {
    let (end, term) = (reader.i64()?, reader.u64()?);
    if end <= 0 || !is_term(term) {
        return Err(MessageError::Malformed("no snapshot has that name"));
    }
    Ok(LogMark { end: Offset(end), epoch: epoch_of(term) })
}

/// Terms are epochs and one.
fn is_term(term: u64) -> bool {
    (1..=i32::MAX as u64).contains(&term)
}

fn write_offer(out: &mut Writer, offer: &Offer) {
    out.u64(offer.term);
    out.u64(offer.index);
    write_mark(out, offer.mark());
    out.voters(&offer.voters);
    out.count(offer.retired.len());
    offer.retired.iter().for_each(|id| out.u64(*id));
    out.keys(&offer.pinned);
}

fn read_offer(reader: &mut Reader) -> Parsed<Offer> {
    let (term, index, mark) = (reader.u64()?, reader.u64()?, read_mark(reader)?);
    let voters = reader.voters()?;
    let count = reader.count(8, REMEMBERED_MAX)?;
    let retired = (0..count).map(|_| reader.u64()).collect::<Parsed<_>>()?;
    let pinned = reader.keys()?;
    let index_term = term_of(mark.epoch);
    if !is_term(term) || index_term > term || index == 0 || voters.is_empty() {
        return Err(MessageError::Malformed("no voter offers that"));
    }
    Ok(Offer { term, index, index_term, end: mark.end, voters, retired, pinned })
}

fn write_message(out: &mut Writer, message: &Message) {
    let kind = TYPES.iter().position(|kind| *kind == message.msg_type);
    assert!(kind.is_some(), "{:?} does not travel", message.msg_type);
    out.u8(kind.unwrap_or_default() as u8);
    let Message { term, log_term, index, commit, commit_term, .. } = *message;
    [term, log_term, index, commit, commit_term].into_iter().for_each(|number| out.u64(number));
    out.u8(u8::from(message.reject));
    out.u64(message.reject_hint);
    out.u64(message.request_snapshot);
    out.i64(message.priority);
    out.bytes(&message.context);
    out.count(message.entries.len());
    for (entry, index) in message.entries.iter().zip(message.index + 1..) {
        // With `batch_append` raft 0.7 can glue entries onto an append that they do not follow.
        assert_eq!(entry.index, index, "the entries of an append follow its index");
        out.u8(u8::from(entry.entry_type == EntryType::EntryConfChange));
        out.u64(entry.term);
        out.bytes(&entry.data);
    }
}

fn read_message(reader: &mut Reader) -> Parsed<Message> {
    let unknown = MessageError::Malformed("it is of an unknown type");
    let kind = *TYPES.get(usize::from(reader.u8()?)).ok_or(unknown)?;
    let mut message = Message { msg_type: kind, ..Message::default() };
    message.term = reader.u64()?;
    message.log_term = reader.u64()?;
    message.index = reader.u64()?;
    message.commit = reader.u64()?;
    message.commit_term = reader.u64()?;
    message.reject = reader.bool()?;
    message.reject_hint = reader.u64()?;
    message.request_snapshot = reader.u64()?;
    message.priority = reader.i64()?;
    message.context = reader.bytes()?;
    if message.term == 0 || message.context.len() > CONTEXT_BYTES_MAX {
        return Err(MessageError::Malformed("no voter says that"));
    }
    let count = reader.count(13, MESSAGE_BYTES_MAX)?;
    if count > 0 && kind != MessageType::MsgAppend {
        return Err(MessageError::Malformed("only an append has entries"));
    }
    let last = message.index.checked_add(count as u64);
    last.ok_or(MessageError::Malformed("its index is beyond all"))?;
    let mut before = message.log_term;
    for index in (message.index + 1..).take(count) {
        let entry = read_entry(reader, index)?;
        if entry.term < before || entry.term > message.term {
            return Err(MessageError::Malformed("the terms of its entries fall"));
        }
        before = entry.term;
        message.entries.push(entry);
    }
    Ok(message)
}

fn read_entry(reader: &mut Reader, index: u64) -> Parsed<Entry> {
    let is_voters = reader.bool()?;
    let (term, data) = (reader.u64()?, reader.bytes()?);
    if Payload::decode(data.clone())?.is_voters() != is_voters {
        return Err(MessageError::Malformed("an entry is not of the kind it says"));
    }
    let entry_type = match is_voters {
        true => EntryType::EntryConfChange,
        false => EntryType::EntryNormal,
    };
    Ok(Entry { entry_type, term, index, data, ..Entry::default() })
}

#[cfg(test)]
mod tests {
    use types::WallTime;

    use super::*;

    fn append(indexes: &[u64]) -> Envelope {
        let address =
            |raft_id, node| Address { raft_id, node: NodeId(node), directory: Uuid::ZERO };
        let mut message = Message { msg_type: MessageType::MsgAppend, ..Message::default() };
        (message.term, message.log_term, message.index) = (3, 2, 22);
        for index in indexes {
            let data = Payload::records(WallTime(7), vec![Bytes::from_static(b"r")]).encode();
            message.entries.push(Entry { index: *index, term: 3, data, ..Entry::default() });
        }
        Envelope { from: address(2, 1), to: address(3, 2), body: Body::Raft(Box::new(message)) }
    }

    #[test]
    fn a_message_reads_as_it_was_written_and_a_cut_one_not_at_all() {
        let sent = append(&[23, 24]);
        let bytes = sent.encode();
        let read = Envelope::decode(bytes.clone()).expect("it is whole");
        let (Body::Raft(sent_message), Body::Raft(message)) = (&sent.body, &read.body) else {
            panic!("another kind")
        };
        assert_eq!((read.from, read.to), (sent.from, sent.to));
        assert_eq!(message.entries, sent_message.entries);
        assert_eq!((message.from, message.to, message.index), (2, 3, 22));
        for cut in 0..bytes.len() {
            assert!(Envelope::decode(bytes.slice(..cut)).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn fuzz_voter_messages_never_panic() {
        let covered = |sent: &Envelope| {
            let bytes = sent.encode();
            bytes[..bytes.len() - 4].to_vec()
        };
        let sound = vec![covered(&append(&[23])), covered(&append(&[]))];
        fuzz_rounds::rounds(fuzz_rounds::damaged(sound), |bytes| {
            _ = Envelope::decode(Bytes::from(bytes.clone()));
            // With a checksum that fits the fields are reached.
            let mut sealed = bytes;
            sealed.extend(crc_fast::crc32_iscsi(&sealed).to_be_bytes());
            _ = Envelope::decode(Bytes::from(sealed));
        });
    }

    #[test]
    fn a_flipped_bit_anywhere_in_a_message_is_found() {
        let sound = append(&[23]).encode();
        for bit in 0..sound.len() * 8 {
            let mut damaged = sound.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Envelope::decode(Bytes::from(damaged)).is_err(), "bit {bit}");
        }
    }

    /// What `batch_append` of raft 0.7 makes: entries 20 and 21 behind index 22.
    #[test]
    #[should_panic(expected = "the entries of an append follow its index")]
    fn entries_that_do_not_follow_the_index_of_their_append_are_not_sent() {
        append(&[20, 21]).encode();
    }

    #[test]
    fn an_entry_of_a_later_term_than_its_message_is_refused() {
        let mut sent = append(&[23]);
        if let Body::Raft(message) = &mut sent.body {
            message.entries[0].term = 4;
        }
        assert!(Envelope::decode(sent.encode()).is_err());
    }
}

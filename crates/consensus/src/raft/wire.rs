//! The bytes that voters exchange: big-endian numbers, lengths before contents.

use bytes::{BufMut, Bytes, BytesMut};
use types::{Uuid, WallTime};

use crate::limits::{VOTER_ENDPOINTS_MAX, VOTERS_MAX};
use crate::{MessageError, NodeId, Voter, VoterEndpoint, VoterKey};

pub(super) type Parsed<T> = Result<T, MessageError>;

const SHORT: MessageError = MessageError::Malformed("it ends too early");

/// Reads from the front. Every length is checked against what remains.
pub(super) struct Reader {
    left: Bytes,
}

impl Reader {
    pub(super) fn new(bytes: Bytes) -> Reader {
        Reader { left: bytes }
    }

    /// # Errors
    /// The checksum at the end does not fit what is before it.
    pub(super) fn with_checksum(mut bytes: Bytes) -> Parsed<Reader> {
        let covered = bytes.len().checked_sub(4).ok_or(SHORT)?;
        let seal = bytes.split_off(covered);
        if seal != crc_fast::crc32_iscsi(&bytes).to_be_bytes()[..] {
            return Err(MessageError::Malformed("its checksum does not fit"));
        }
        Ok(Reader::new(bytes))
    }

    pub(super) fn take(&mut self, bytes: usize) -> Parsed<Bytes> {
        if bytes > self.left.len() {
            return Err(SHORT);
        }
        Ok(self.left.split_to(bytes))
    }

    fn array<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let bytes = self.take(N)?;
        bytes[..].try_into().map_err(|_| SHORT)
    }

    pub(super) fn u8(&mut self) -> Parsed<u8> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Parsed<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Parsed<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Parsed<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(super) fn i64(&mut self) -> Parsed<i64> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    pub(super) fn bool(&mut self) -> Parsed<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(MessageError::Malformed("a flag is neither 0 nor 1")),
        }
    }

    pub(super) fn wall(&mut self) -> Parsed<WallTime> {
        Ok(WallTime(self.i64()?))
    }

    pub(super) fn node(&mut self) -> Parsed<NodeId> {
        Ok(NodeId(i32::from_be_bytes(self.array()?)))
    }

    pub(super) fn uuid(&mut self) -> Parsed<Uuid> {
        Ok(Uuid(self.array()?))
    }

    /// Bytes with their length before them.
    pub(super) fn bytes(&mut self) -> Parsed<Bytes> {
        let bytes = self.u32()? as usize;
        self.take(bytes)
    }

    /// How many elements follow, of at least `bytes_each`.
    pub(super) fn count(&mut self, bytes_each: usize, count_max: usize) -> Parsed<usize> {
        let count = self.u32()? as usize;
        if count > count_max || count.saturating_mul(bytes_each) > self.left.len() {
            return Err(MessageError::Malformed("it counts more than it holds"));
        }
        Ok(count)
    }

    pub(super) fn key(&mut self) -> Parsed<VoterKey> {
        Ok(VoterKey { id: self.node()?, directory: self.uuid()? })
    }

    pub(super) fn keys(&mut self) -> Parsed<Vec<VoterKey>> {
        (0..self.count(20, VOTERS_MAX)?).map(|_| self.key()).collect()
    }

    pub(super) fn voters(&mut self) -> Parsed<Vec<Voter>> {
        (0..self.count(24, VOTERS_MAX)?).map(|_| self.voter()).collect()
    }

    fn voter(&mut self) -> Parsed<Voter> {
        let key = self.key()?;
        let endpoints = (0..self.count(10, VOTER_ENDPOINTS_MAX)?)
            .map(|_| {
                let (listener, host, port) = (self.text()?, self.text()?, self.u16()?);
                Ok(VoterEndpoint { listener, host, port })
            })
            .collect::<Parsed<_>>()?;
        Ok(Voter { key, endpoints })
    }

    fn text(&mut self) -> Parsed<String> {
        let bytes = self.bytes()?;
        String::from_utf8(bytes.to_vec()).map_err(|_| MessageError::Malformed("a name is no text"))
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Parsed<()> {
        match self.left.is_empty() {
            true => Ok(()),
            false => Err(MessageError::Malformed("it goes on after its end")),
        }
    }
}

/// Writes what [`Reader`] reads.
#[derive(Default)]
pub(super) struct Writer {
    out: BytesMut,
}

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Writer {
        Writer { out: BytesMut::with_capacity(bytes) }
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.out.put_u8(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.out.put_u16(value);
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.out.put_u32(value);
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.out.put_u64(value);
    }

    pub(super) fn i64(&mut self, value: i64) {
        self.out.put_i64(value);
    }

    /// A count or a length.
    ///
    /// # Panics
    /// Past 2^32; the limits are far below.
    pub(super) fn count(&mut self, count: usize) {
        assert!(count <= u32::MAX as usize, "a count of {count} is beyond every limit");
        self.u32(count as u32);
    }

    pub(super) fn node(&mut self, node: NodeId) {
        self.out.put_i32(node.0);
    }

    pub(super) fn uuid(&mut self, id: Uuid) {
        self.out.put_slice(&id.0);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.out.put_slice(bytes);
    }

    pub(super) fn key(&mut self, key: VoterKey) {
        self.node(key.id);
        self.uuid(key.directory);
    }

    pub(super) fn keys(&mut self, keys: &[VoterKey]) {
        self.count(keys.len());
        keys.iter().for_each(|key| self.key(*key));
    }

    pub(super) fn voters(&mut self, voters: &[Voter]) {
        self.count(voters.len());
        for voter in voters {
            self.key(voter.key);
            self.count(voter.endpoints.len());
            for endpoint in &voter.endpoints {
                self.bytes(endpoint.listener.as_bytes());
                self.bytes(endpoint.host.as_bytes());
                self.u16(endpoint.port);
            }
        }
    }

    pub(super) fn finish(self) -> Bytes {
        self.out.freeze()
    }

    pub(super) fn finish_with_checksum(mut self) -> Bytes {
        let sum = crc_fast::crc32_iscsi(&self.out);
        self.u32(sum);
        self.finish()
    }
}

//! Records of `__consumer_offsets`, key and value each behind its length in one byte, replayed into
//! a shard.

#![no_main]

use bytes::Bytes;
use coordinator::{CoordinatorRecord, CoordinatorShard, LoadedRecord};
use group_coordinator::{GroupCoordinatorConfig, GroupCoordinatorShard};
use libfuzzer_sys::fuzz_target;
use types::{Offset, ProducerId};

fuzz_target!(|data: &[u8]| {
    let mut shard = GroupCoordinatorShard::new(GroupCoordinatorConfig::default());
    let mut rest = data;
    let mut offset = Offset::ZERO;
    while !rest.is_empty() {
        let key = take(&mut rest);
        let value = take(&mut rest);
        let value = (!value.is_empty()).then_some(value);
        let record = CoordinatorRecord { key, value };
        let transaction = ProducerId::NONE;
        shard.replay(LoadedRecord { offset, transaction, record: &record });
        offset = offset.plus(1);
    }
});

fn take(rest: &mut &[u8]) -> Bytes {
    let Some((&length, after)) = rest.split_first() else { return Bytes::new() };
    let (taken, after) = after.split_at(usize::from(length).min(after.len()));
    *rest = after;
    Bytes::copy_from_slice(taken)
}

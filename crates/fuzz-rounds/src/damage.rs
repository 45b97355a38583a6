use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::{Index, select};
use proptest::strategy::Strategy;

/// Bytes that are worth trying: ends of ranges, signs, continuation bits, separators.
const TEMPTING: [u8; 12] = [0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff, b'\n', b' ', b'=', b'-'];
const CHANGES_MAX: usize = 8;

/// Anything, up to `bytes_max` long.
pub fn noise(bytes_max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=bytes_max)
}

/// One of `originals` (none of them empty) with a few bytes changed and perhaps its end cut off, so
/// that the damage lands deep.
pub fn damaged(originals: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let byte = proptest::prop_oneof![any::<u8>(), select(TEMPTING.to_vec())];
    let changes = vec((any::<Index>(), byte), 0..CHANGES_MAX);
    let cut = proptest::option::weighted(0.3, any::<Index>());
    (select(originals), changes, cut).prop_map(|(mut bytes, changes, cut)| {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::rounds;

    #[test]
    fn damage_changes_some_and_cuts_some() {
        let original = vec![7; 100];
        let (changed, cut) = (Cell::new(0), Cell::new(0));
        rounds(damaged(vec![original.clone()]), |bytes| {
            changed.set(changed.get() + usize::from(bytes.iter().any(|byte| *byte != 7)));
            cut.set(cut.get() + usize::from(bytes.len() < original.len()));
        });
        assert!(changed.get() > 50 && cut.get() > 30, "{} and {}", changed.get(), cut.get());
    }
}

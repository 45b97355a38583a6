//! Values of a metadata log, each behind its length in one byte, applied one after another.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use metadata::{MetadataDelta, MetadataImage, MetadataRecord, Provenance};

fuzz_target!(|data: &[u8]| {
    let mut image = MetadataImage::empty();
    let mut rest = data;
    while let Some((&length, after)) = rest.split_first() {
        let (value, after) = after.split_at(usize::from(length).min(after.len()));
        rest = after;
        let Ok(record) = MetadataRecord::decode(Bytes::copy_from_slice(value)) else { continue };
        let mut delta = MetadataDelta::default();
        if delta.replay(&image, &record).is_ok() {
            image = image.apply(&delta, Provenance::EMPTY);
        }
    }
});

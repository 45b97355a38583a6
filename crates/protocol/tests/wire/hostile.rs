//! Bytes that nobody meant: cut short, changed at random, with lengths beyond all measure.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use protocol::{DECODE_BYTES_MIN, DECODE_BYTES_PER_FRAME_BYTE};

use crate::dice::Dice;
use crate::exercise::{EVERY, Exercise};
use crate::{sample, schema};

/// Counts what each thread allocates, freed or not.
struct Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: passes everything on to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATED.try_with(|bytes| bytes.set(bytes.get().saturating_add(layout.size())));
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Room for the reference count that the first slice of a frame allocates.
const SLACK_BYTES: usize = 256;
const MUTATIONS: usize = 60;
/// Lengths that tempt: the largest of each prefix, and what a varint says at most.
const HUGE: [&[u8]; 5] = [
    &[0x7f, 0xff, 0xff, 0xff],
    &[0x7f, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
];

/// Decodes and checks what that allocated.
fn decodes(exercise: &Exercise, bytes: &[u8], version: i16) -> bool {
    let frame = Bytes::copy_from_slice(bytes);
    let before = ALLOCATED.get();
    let outcome = exercise.decode(frame, version);
    let allocated = ALLOCATED.get() - before;
    let allowed = bytes.len() * DECODE_BYTES_PER_FRAME_BYTE + DECODE_BYTES_MIN + SLACK_BYTES;
    let name = exercise.name;
    assert!(allocated <= allowed, "{name} v{version} took {allocated} for {bytes:02x?}");
    outcome.is_ok()
}

fn each_version(mut visit: impl FnMut(&Exercise, i16, &schema::grammar::Message)) {
    for (definition, exercise) in schema::all().iter().zip(EVERY) {
        exercise.versions().for_each(|version| visit(exercise, version, &definition.message));
    }
}

#[test]
fn a_message_cut_short_is_refused_wherever_it_is_cut() {
    let mut dice = Dice::new(3);
    each_version(|exercise, version, message| {
        let whole = sample::sample(message, version, &mut dice);
        assert!(decodes(exercise, &whole, version));
        // Long byte fields are all alike inside: their first thousand cuts will do.
        for length in 0..whole.len().min(1000) {
            let cut = &whole[..length];
            assert!(!decodes(exercise, cut, version), "{} v{version} {cut:x?}", exercise.name);
        }
    });
}

#[test]
fn a_huge_length_anywhere_neither_panics_nor_allocates() {
    let mut dice = Dice::new(4);
    each_version(|exercise, version, message| {
        let whole = sample::sample(message, version, &mut dice);
        for at in 0..whole.len().min(300) {
            for huge in HUGE {
                let mut bytes = whole.clone();
                let end = bytes.len().min(at + huge.len());
                bytes.splice(at..end, huge.iter().copied());
                decodes(exercise, &bytes, version);
            }
        }
    });
}

#[test]
fn a_frame_full_of_the_dearest_values_stays_within_its_allowance() {
    // DescribeGroups v5: empty strings, then strings of one byte that is not UTF-8.
    let exercise = Exercise::find("DescribeGroupsRequest").unwrap();
    let elements = 200_000;
    for element in [&[1][..], &[2, 0xff]] {
        let mut bytes = vec![0xc1, 0x9a, 0x0c];
        (0..elements).for_each(|_| bytes.extend_from_slice(element));
        bytes.extend([0, 0]);
        let accepted = decodes(exercise, &bytes, 5);
        assert_eq!(accepted, element == [1], "only mended text is beyond the budget");
    }
}

#[test]
fn fuzz_mutated_messages_are_refused_or_survive_another_round() {
    let mut dice = Dice::from_environment(5);
    each_version(|exercise, version, message| {
        let mut bytes = sample::sample(message, version, &mut dice);
        for _ in 0..MUTATIONS {
            mutate(&mut bytes, &mut dice);
            if decodes(exercise, &bytes, version) {
                let echo = exercise.echo(Bytes::copy_from_slice(&bytes), version);
                assert!(echo.is_ok(), "{} v{version} {bytes:x?}", exercise.name);
            } else {
                // Start afresh: two wrongs only fail earlier.
                bytes = sample::sample(message, version, &mut dice);
            }
        }
    });
}

fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len().max(1)).min(bytes.len());
    match dice.below(4) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = dice.throw() as u8,
        2 if at < bytes.len() => drop(bytes.remove(at)),
        _ => bytes.insert(at, dice.throw() as u8),
    }
}

//! Zig-zag variable-length integers: seven bits a byte, least significant first.

const MORE: u8 = 0x80;
const BITS: u8 = 0x7f;

/// A source of a record's bytes that knows when the record is over.
pub(crate) trait Body {
    /// What [`take`](Body::take) gives for the bytes it passes.
    type Piece;
    fn left(&self) -> usize;
    fn byte(&mut self) -> Option<u8>;
    fn take(&mut self, count: usize) -> Option<Self::Piece>;
}

impl<'a> Body for &'a [u8] {
    type Piece = &'a [u8];

    fn left(&self) -> usize {
        self.len()
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.split_first()?;
        *self = rest;
        Some(*first)
    }

    #[inline]
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (piece, rest) = self.split_at_checked(count)?;
        *self = rest;
        Some(piece)
    }
}

/// Reads a 32-bit varint; `None` if the bytes end first or say more than 32 bits.
#[inline]
pub(crate) fn read_i32<B: Body>(from: &mut B) -> Option<i32> {
    let first = from.byte()?;
    if first < MORE {
        return Some(unzigzag(u64::from(first)) as i32);
    }
    let raw = read_more(from, first, 5)?;
    u32::try_from(raw).ok().map(|raw| unzigzag(u64::from(raw)) as i32)
}

/// Reads a 64-bit varint; `None` if the bytes end first or say more than 64 bits.
#[inline]
pub(crate) fn read_i64<B: Body>(from: &mut B) -> Option<i64> {
    let first = from.byte()?;
    if first < MORE {
        return Some(unzigzag(u64::from(first)));
    }
    read_more(from, first, 10).map(unzigzag)
}

fn read_more<B: Body>(from: &mut B, first: u8, bytes_max: u32) -> Option<u64> {
    let mut raw = u64::from(first & BITS);
    for index in 1..bytes_max {
        let byte = from.byte()?;
        let bits = u64::from(byte & BITS);
        let shift = 7 * index;
        // The tenth byte has room for one bit.
        if shift == 63 && bits > 1 {
            return None;
        }
        raw |= bits << shift;
        if byte < MORE {
            return Some(raw);
        }
    }
    None
}

fn unzigzag(raw: u64) -> i64 {
    (raw >> 1) as i64 ^ -((raw & 1) as i64)
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Appends `value`; 32-bit and 64-bit varints of the same number are the same bytes.
pub(crate) fn write(out: &mut Vec<u8>, value: i64) {
    let mut raw = zigzag(value);
    while raw >= u64::from(MORE) {
        out.push(raw as u8 | MORE);
        raw >>= 7;
    }
    out.push(raw as u8);
}

/// The bytes that [`write()`] takes for `value`.
pub(crate) fn size(value: i64) -> usize {
    let bits = 64 - zigzag(value).leading_zeros() as usize;
    bits.div_ceil(7).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_round_trips_and_has_the_size_announced() {
        let mut values = vec![0, -1, 1, i64::MIN, i64::MAX];
        for bit in 0..63 {
            values.extend([1i64 << bit, (1i64 << bit) - 1, -(1i64 << bit), -(1i64 << bit) - 1]);
        }
        for value in values {
            let mut out = Vec::new();
            write(&mut out, value);
            assert_eq!(out.len(), size(value), "{value}");
            let mut rest = &out[..];
            assert_eq!(read_i64(&mut rest), Some(value));
            assert!(rest.is_empty());
            let narrow = i32::try_from(value).ok();
            assert_eq!(read_i32(&mut &out[..]), narrow, "{value} as 32 bits");
        }
    }

    #[test]
    fn overlong_and_cut_varints_are_refused() {
        assert_eq!(read_i32(&mut &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00][..]), None);
        assert_eq!(read_i32(&mut &[0xff, 0xff, 0xff, 0xff, 0x1f][..]), None, "33 bits");
        assert_eq!(read_i64(&mut &[0xff; 10][..]), None);
        assert_eq!(read_i64(&mut &[0x80; 3][..]), None);
        assert_eq!(read_i32(&mut &[][..]), None);
    }
}

//! SipHash-2-4 with 128 bits, under a key that nobody outside knows.
//!
//! Kafka takes MD5. Whoever can write a topic could make two keys that MD5 takes for one, and so
//! have the cleaner drop another client's record; without the key nobody can here.
//!
//! **Source:** Aumasson, Bernstein: "SipHash: a fast short-input PRF"; the reference code's
//! 128-bit output.

/// 128 bits of a record's key.
pub(crate) type Digest = [u64; 2];

/// Hashes keys for one cleaning.
#[derive(Clone, Copy)]
pub(crate) struct KeyHash {
    secret: [u64; 2],
}

struct State([u64; 4]);

impl KeyHash {
    /// Under `secret`, drawn by chance.
    pub(crate) fn new(secret: [u8; 16]) -> KeyHash {
        let half = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, b| sum << 8 | u64::from(*b));
        KeyHash { secret: [half(&secret[..8]), half(&secret[8..])] }
    }

    pub(crate) fn digest(self, key: &[u8]) -> Digest {
        let [k0, k1] = self.secret;
        let mut state = State([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ]);
        let words = key.chunks_exact(8);
        let tail = words.remainder();
        for word in words {
            state.absorb(word.iter().rev().fold(0, |sum, b| sum << 8 | u64::from(*b)));
        }
        let length = (key.len() as u64) << 56;
        state.absorb(tail.iter().rev().fold(0, |sum, b| sum << 8 | u64::from(*b)) | length);
        state.0[2] ^= 0xee;
        let first = state.squeeze();
        state.0[1] ^= 0xdd;
        [first, state.squeeze()]
    }
}

impl State {
    fn absorb(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.round();
        self.0[0] ^= word;
    }

    fn squeeze(&mut self) -> u64 {
        (0..4).for_each(|_| self.round());
        self.0.iter().fold(0, |sum, v| sum ^ v)
    }

    fn round(&mut self) {
        let [v0, v1, v2, v3] = &mut self.0;
        *v0 = v0.wrapping_add(*v1);
        *v2 = v2.wrapping_add(*v3);
        *v1 = v1.rotate_left(13) ^ *v0;
        *v3 = v3.rotate_left(16) ^ *v2;
        *v0 = v0.rotate_left(32);
        *v2 = v2.wrapping_add(*v1);
        *v0 = v0.wrapping_add(*v3);
        *v1 = v1.rotate_left(17) ^ *v2;
        *v3 = v3.rotate_left(21) ^ *v0;
        *v2 = v2.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference code's vectors: key 00 01 … 0f, message 00 01 … of each length.
    #[test]
    fn the_digests_are_those_of_the_reference_code() {
        let secret: [u8; 16] = std::array::from_fn(|i| i as u8);
        let hash = KeyHash::new(secret);
        let message: Vec<u8> = (0..64).collect();
        let bytes = |length: usize| {
            let [low, high] = hash.digest(&message[..length]);
            [low.to_le_bytes(), high.to_le_bytes()].concat()
        };
        let hex = |bytes: Vec<u8>| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(bytes(0)), "a3817f04ba25a8e66df67214c7550293");
        assert_eq!(hex(bytes(1)), "da87c1d86b99af44347659119b22fc45");
        assert_eq!(hex(bytes(15)), "5493e99933b0a8117e08ec0f97cfc3d9");
        assert_eq!(hex(bytes(16)), "6ee2a4ca67b054bbfd3315bf85230577");
    }
}

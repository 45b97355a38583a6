use env::Rng;
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// The kernel's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRng;

impl Rng for OsRng {
    /// # Panics
    /// If the kernel has no random numbers to give: ids could collide, so there is no going on.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        loop {
            // A read of up to 256 bytes comes whole or not at all.
            let got = getrandom(&mut bytes[..], GetRandomFlags::empty());
            if got == Ok(bytes.len()) {
                return u64::from_ne_bytes(bytes);
            }
            assert_eq!(got, Err(Errno::INTR), "the kernel gives random numbers");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ids_in_a_row_are_never_the_same() {
        assert_ne!(OsRng.bytes16(), OsRng.bytes16());
    }
}

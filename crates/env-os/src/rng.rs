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
            match getrandom(&mut bytes[..], GetRandomFlags::empty()) {
                Ok(8) => return u64::from_ne_bytes(bytes),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => panic!("the kernel gives no random numbers: {error}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ() {
        assert_ne!(OsRng.bytes16(), OsRng.bytes16());
    }
}

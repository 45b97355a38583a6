/// Where chance comes from: topic ids, member ids, jitter. Seeded in the simulator.
pub trait Rng: Send + Sync + 'static {
    fn next_u64(&self) -> u64;

    /// 16 random bytes, for an id.
    fn bytes16(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next_u64().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next_u64().to_be_bytes());
        bytes
    }
}

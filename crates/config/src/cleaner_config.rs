use crate::layers::BrokerLayers;
use crate::lookup::BrokerLookup;

/// What compaction may use: `log.cleaner.*`. All but `enable` may change at run time.
#[derive(Clone, Debug, PartialEq)]
pub struct CleanerConfig {
    pub enable: bool,
    pub threads: i32,
    pub backoff_ms: i64,
    /// For the keys of all threads together.
    pub dedupe_buffer_size: i64,
    pub io_buffer_load_factor: f64,
    pub io_max_bytes_per_second: f64,
}

impl CleanerConfig {
    pub fn resolve(layers: &BrokerLayers<'_>) -> CleanerConfig {
        let lookup = BrokerLookup::new(layers);
        CleanerConfig {
            enable: lookup.boolean("log.cleaner.enable"),
            threads: lookup.int("log.cleaner.threads"),
            backoff_ms: lookup.long("log.cleaner.backoff.ms"),
            dedupe_buffer_size: lookup.long("log.cleaner.dedupe.buffer.size"),
            io_buffer_load_factor: lookup.double("log.cleaner.io.buffer.load.factor"),
            io_max_bytes_per_second: lookup.double("log.cleaner.io.max.bytes.per.second"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Overrides;

    #[test]
    fn values_set_at_run_time_win_and_the_defaults_are_kafkas() {
        let nothing = Overrides::new();
        let config = CleanerConfig::resolve(&BrokerLayers::only_static(&nothing));
        assert_eq!((config.enable, config.threads, config.backoff_ms), (true, 1, 15_000));
        assert_eq!(config.dedupe_buffer_size, 128 << 20);
        assert_eq!(config.io_buffer_load_factor, 0.9);
        assert_eq!(config.io_max_bytes_per_second, f64::MAX);
        let dynamic: Overrides = [
            ("log.cleaner.threads".to_owned(), "3".to_owned()),
            ("log.cleaner.io.max.bytes.per.second".to_owned(), "1000.5".to_owned()),
        ]
        .into();
        let layers =
            BrokerLayers { dynamic_default: &dynamic, ..BrokerLayers::only_static(&nothing) };
        let config = CleanerConfig::resolve(&layers);
        assert_eq!((config.threads, config.io_max_bytes_per_second), (3, 1000.5));
    }
}

//! The facts of the machine without which a figure means nothing.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;

/// Where the figures were taken.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    pub congestion_control: String,
    /// Over 1, 5 and 15 minutes, before anything was measured.
    pub load_before: String,
}

impl Machine {
    /// This one. What the system does not tell stays empty.
    pub fn here() -> Machine {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
        Machine {
            processor: model.unwrap_or_default().trim_start_matches(['\t', ' ', ':']).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_gib(&read("/proc/meminfo")),
            kernel: read("/proc/sys/kernel/osrelease"),
            congestion_control: read("/proc/sys/net/ipv4/tcp_congestion_control"),
            load_before: read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
        }
    }
}

fn memory_gib(meminfo: &str) -> u64 {
    let kib = meminfo.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or_default() >> 20
}

/// Ten thousand connections are ten thousand files on this side, too. Says whether there is room
/// for `files`.
pub fn raise_file_limit(files: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let _ = setrlimit(Resource::Nofile, all);
    getrlimit(Resource::Nofile).current.is_none_or(|granted| granted >= files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_the_first_number_of_meminfo() {
        assert_eq!(memory_gib("MemTotal:       25165824 kB\nMemFree: 1 kB\n"), 24);
        assert_eq!(memory_gib(""), 0);
    }
}

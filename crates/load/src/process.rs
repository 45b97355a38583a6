//! A process as the operating system accounts for it.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and system time of all its threads, those that have ended too.
    pub cpu: Duration,
    pub rss_bytes: u64,
}

/// Reads `/proc/PID/stat` and `statm`. Source: proc_pid_stat(5).
///
/// # Errors
/// There is no such process, or its numbers are not ours to read.
pub fn usage(pid: u32) -> io::Result<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let statm = fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "numbers of a process are missing");
    let ticks = cpu_ticks(&stat).ok_or_else(odd)?;
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    Ok(Usage {
        cpu: Duration::from_nanos(ticks * (1_000_000_000 / clock_ticks_per_second())),
        rss_bytes: pages.ok_or_else(odd)? * page_size() as u64,
    })
}

/// Fields 14 and 15; the name in field 2 may hold blanks and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(") ")?;
    let mut fields = behind_name.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_move_the_fields() {
        let stat = "7 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 70 3 0 0 20";
        assert_eq!(cpu_ticks(stat), Some(73));
        assert_eq!(cpu_ticks("7 (a"), None);
    }

    #[test]
    fn the_kernel_tells_of_this_process() {
        let pid = std::process::id();
        let before = usage(pid).unwrap();
        let mut sum = 0_u64;
        while usage(pid).unwrap().cpu == before.cpu {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(before.rss_bytes > 100 << 10);
        assert!(usage(0).is_err());
    }
}

//! A process as the kernel accounts for it.

use std::fs;
use std::time::Duration;

use crate::Outcome;

/// Memory of a process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    pub rss_kib: u64,
    pub pss_kib: u64,
}

/// CPU time of all living threads, to the nanosecond. A thread that has ended is not in it, and
/// neither server ends one while it serves.
pub fn cpu_time(pid: u32) -> Outcome<Duration> {
    let dir = format!("/proc/{pid}/task");
    let tasks = fs::read_dir(&dir).map_err(|error| format!("{dir}: {error}"))?;
    let of_task = |task: std::io::Result<fs::DirEntry>| {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    Ok(Duration::from_nanos(tasks.filter_map(of_task).sum()))
}

/// CPU time of all threads that there have been, to a hundredth of a second.
pub fn whole_cpu_time(pid: u32) -> Outcome<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    // Fields 14 and 15, counted past the name, which may hold anything.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).map(|field| field.parse::<u64>().ok());
    let ticks = ticks.sum::<Option<u64>>().ok_or_else(|| format!("{path} is not understood"))?;
    Ok(Duration::from_millis(ticks * 10))
}

pub fn memory(pid: u32) -> Outcome<Memory> {
    let field = |file: &str, name: &str| {
        let path = format!("/proc/{pid}/{file}");
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        kib.ok_or_else(|| format!("{path} has no {name}"))
    };
    Ok(Memory { rss_kib: field("status", "VmRSS:")?, pss_kib: field("smaps_rollup", "Pss:")? })
}

/// How many files and sockets a process has open.
pub fn open_files(pid: u32) -> Outcome<usize> {
    let dir = format!("/proc/{pid}/fd");
    let files = fs::read_dir(&dir).map_err(|error| format!("{dir}: {error}"))?;
    Ok(files.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_of_this_process() {
        let pid = std::process::id();
        let before = cpu_time(pid).unwrap();
        let mut sum = 0_u64;
        while cpu_time(pid).unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        while whole_cpu_time(pid).unwrap() < cpu_time(pid).unwrap().min(Duration::from_millis(30)) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(memory(pid).unwrap().rss_kib > 100);
        assert!(open_files(pid).unwrap() >= 3);
        assert!(memory(0).is_err());
    }
}

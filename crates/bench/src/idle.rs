//! What a node costs before anybody uses it.

use std::net::TcpStream;
use std::time::Duration;

use crate::options::Options;
use crate::process::{cpu_time, memory};
use crate::report::{Results, Unit};
use crate::server::{Running, Server};
use crate::{Outcome, wire};

const STARTS: usize = 3;
const CONNECTIONS: [usize; 2] = [1_000, 10_000];
const IDLE: Duration = Duration::from_secs(2);

pub fn measure(options: &Options, servers: &[Server], results: &mut Results) -> Outcome<()> {
    for _ in 0..options.rounds {
        for server in servers.iter().filter(|server| !server.is_floor()) {
            if options.wants("start") {
                starts(options, server, results)?;
            }
            if options.wants("idle") {
                idle(options, server, results)?;
            }
        }
    }
    Ok(())
}

fn starts(options: &Options, server: &Server, results: &mut Results) -> Outcome<()> {
    for _ in 0..STARTS {
        let running = server.start(&options.dir)?;
        let ms = running.ready_after.as_secs_f64() * 1e3;
        results.add("start to ready", Unit::Milliseconds, server, ms);
    }
    Ok(())
}

fn idle(options: &Options, server: &Server, results: &mut Results) -> Outcome<()> {
    let running = server.start(&options.dir)?;
    let before = cpu_time(running.pid())?;
    std::thread::sleep(IDLE);
    let burnt = cpu_time(running.pid())?.saturating_sub(before).as_secs_f64() * 1e3;
    results.add("idle CPU a second", Unit::Milliseconds, server, burnt / IDLE.as_secs_f64());
    let alone = memory(running.pid())?;
    results.add("idle memory, RSS", Unit::Mebibytes, server, mib(alone.rss_kib));
    results.add("idle memory, PSS", Unit::Mebibytes, server, mib(alone.pss_kib));
    let mut sockets = Vec::new();
    for count in CONNECTIONS {
        connect(&running, count, &mut sockets)?;
        let now = memory(running.pid())?;
        let name = format!("memory with {count} idle connections, RSS");
        results.add(&name, Unit::Mebibytes, server, mib(now.rss_kib));
        let each = (now.rss_kib.saturating_sub(alone.rss_kib) << 10) as f64 / count as f64;
        let name = format!("  bytes each of {count} idle connections");
        results.add(&name, Unit::Bytes, server, each);
    }
    Ok(())
}

/// Each says hello as a client does, and then nothing.
fn connect(running: &Running, count: usize, sockets: &mut Vec<TcpStream>) -> Outcome<()> {
    while sockets.len() < count {
        let socket = TcpStream::connect(running.address);
        let mut socket = socket.map_err(|e| format!("connection {}: {e}", sockets.len()))?;
        wire::greet(&mut socket)?;
        sockets.push(socket);
    }
    Ok(())
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

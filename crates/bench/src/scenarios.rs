//! The loads, and the figures made of them.

use ::load::frames::ACKS_LEADER;

use crate::Outcome;
use crate::batches::BatchShape;
use crate::load::{self, Ask, Cost, Load};
use crate::machine::warm_up;
use crate::options::Options;
use crate::report::{Results, Unit};
use crate::server::{Running, Server};
use crate::wire::create_topic;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const CONNECTIONS: usize = 4;
/// A fetch runs over this much of each partition: in the page cache, not in the processor's.
const HOT_BYTES: usize = 64 * MIB;
/// Of each partition, where a fetch finds nothing in the page cache. More than one run reads.
const COLD_BYTES: usize = 256 * MIB;

/// A load with a name.
struct Scenario {
    name: &'static str,
    what: What,
    depth: usize,
    shape: BatchShape,
    /// Of one run at scale 1.
    requests: u64,
}

#[derive(Clone, Copy)]
enum What {
    Produce,
    /// From the page cache.
    Fetch {
        bytes_max: usize,
    },
    /// From the disk, each byte once.
    FetchCold {
        bytes_max: usize,
    },
}

const fn shape(batch_bytes: usize, value_bytes: usize) -> BatchShape {
    BatchShape { batch_bytes, value_bytes }
}

const SCENARIOS: [Scenario; 10] = [
    Scenario {
        name: "produce 16 KiB, 5 deep",
        what: What::Produce,
        depth: 5,
        shape: shape(16 * KIB, 1000),
        requests: 60_000,
    },
    Scenario {
        name: "produce 16 KiB of 100 B records, 5 deep",
        what: What::Produce,
        depth: 5,
        shape: shape(16 * KIB, 90),
        requests: 60_000,
    },
    Scenario {
        name: "produce 1 MiB, 1 deep",
        what: What::Produce,
        depth: 1,
        shape: shape(MIB, 1000),
        requests: 1_000,
    },
    Scenario {
        name: "produce 1 record of 100 B, 1 deep",
        what: What::Produce,
        depth: 1,
        shape: shape(0, 100),
        requests: 60_000,
    },
    Scenario {
        name: "produce 1 record of 100 B, 16 deep",
        what: What::Produce,
        depth: 16,
        shape: shape(0, 100),
        requests: 400_000,
    },
    Scenario {
        name: "fetch 4 KiB",
        what: What::Fetch { bytes_max: 4 * KIB },
        depth: 1,
        shape: shape(4 * KIB - 100, 1000),
        requests: 100_000,
    },
    Scenario {
        name: "fetch 64 KiB",
        what: What::Fetch { bytes_max: 64 * KIB },
        depth: 1,
        shape: shape(16 * KIB, 1000),
        requests: 30_000,
    },
    Scenario {
        name: "fetch 256 KiB",
        what: What::Fetch { bytes_max: 256 * KIB },
        depth: 1,
        shape: shape(16 * KIB, 1000),
        requests: 10_000,
    },
    Scenario {
        name: "fetch 1 MiB",
        what: What::Fetch { bytes_max: MIB },
        depth: 1,
        shape: shape(16 * KIB, 1000),
        requests: 2_500,
    },
    Scenario {
        name: "fetch 1 MiB, cold",
        what: What::FetchCold { bytes_max: MIB },
        depth: 1,
        shape: shape(16 * KIB, 1000),
        requests: 900,
    },
];

pub fn measure(options: &Options, servers: &[Server], results: &mut Results) -> Outcome<()> {
    for round in 0..options.rounds {
        for scenario in SCENARIOS.iter().filter(|scenario| options.wants(scenario.name)) {
            for server in servers {
                eprintln!("round {}: {}, {}", round + 1, scenario.name, server.name);
                let cost = run(options, scenario, server)
                    .map_err(|error| format!("{}, {}: {error}", scenario.name, server.name))?;
                note(scenario, server, cost, results);
            }
        }
    }
    Ok(())
}

fn run(options: &Options, scenario: &Scenario, server: &Server) -> Outcome<Cost> {
    let requests = ((scenario.requests as f64 * options.scale) as u64).max(100);
    let batch = scenario.shape.build();
    let writes = match scenario.what {
        What::Produce => requests * batch.len() as u64 * 11 / 10,
        What::Fetch { .. } => (CONNECTIONS * HOT_BYTES) as u64,
        What::FetchCold { .. } => (CONNECTIONS * COLD_BYTES) as u64,
    };
    warm_up(&options.dir, writes).map_err(|error| format!("warm-up: {error}"))?;
    let running = server.start(&options.dir)?;
    if !server.is_floor() {
        create_topic(running.address, CONNECTIONS as i32)?;
    }
    let (address, pid) = (running.address, running.pid());
    let load = Load { connections: CONNECTIONS, depth: scenario.depth, requests };
    match scenario.what {
        What::Produce => load::run(address, pid, &Ask::Produce { batch, acks: ACKS_LEADER }, load),
        What::Fetch { bytes_max } => {
            let end = filled(&running, batch, HOT_BYTES)?;
            load::run(address, pid, &Ask::Fetch { bytes_max, end }, load)
        }
        What::FetchCold { bytes_max } => {
            let end = filled(&running, batch, COLD_BYTES)?;
            ::load::evict_open(pid).map_err(|error| format!("evict: {error}"))?;
            load::run(address, pid, &Ask::Fetch { bytes_max, end }, load)
        }
    }
}

/// So many bytes in each partition; returns the offset after the last.
fn filled(running: &Running, batch: bytes::Bytes, bytes: usize) -> Outcome<i64> {
    let header = records::BatchHeader::parse(&batch).map_err(|error| error.to_string())?;
    let each = bytes / batch.len();
    load::fill(running.address, batch, CONNECTIONS, each as u64)?;
    Ok(each as i64 * i64::from(header.records_count))
}

fn note(scenario: &Scenario, server: &Server, cost: Cost, results: &mut Results) {
    let gigabytes = cost.bytes as f64 / 1e9;
    let (cpu, client) = (cost.server_cpu.as_secs_f64(), cost.client_cpu.as_secs_f64());
    let wall = cost.wall.as_secs_f64();
    let requests = cost.requests as f64;
    let mut add = |what: &str, unit, value| {
        results.add(&format!("{}{what}", scenario.name), unit, server, value);
    };
    if scenario.shape.batch_bytes > 0 {
        add("", Unit::CpuSecondsPerGb, cpu / gigabytes);
        add(" · with client", Unit::CpuSecondsPerGb, (cpu + client) / gigabytes);
        add(" · rate", Unit::GbPerSecond, gigabytes / wall);
    } else {
        add("", Unit::CpuMicrosPerRequest, cpu * 1e6 / requests);
        add(" · with client", Unit::CpuMicrosPerRequest, (cpu + client) * 1e6 / requests);
        add(" · rate", Unit::ThousandPerSecond, requests / wall / 1e3);
    }
}

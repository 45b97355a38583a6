//! A node without a command line, for trying the server alone: `serve PORT DIR`.

use std::time::Instant;

use config::Sources;
use server::ServeOptions;

fn main() {
    let started = Instant::now();
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().unwrap_or_else(|| "9092".to_owned());
    let dir = arguments.next().unwrap_or_else(|| "/tmp/ottla".to_owned());
    let overrides = [
        "node.id=1".to_owned(),
        "process.roles=broker,controller".to_owned(),
        format!("listeners=PLAINTEXT://127.0.0.1:{port}"),
        format!("log.dirs={dir}"),
        "group.initial.rebalance.delay.ms=0".to_owned(),
    ];
    server::logging::init(log::LevelFilter::Info);
    let loaded = config::load(Sources { overrides: &overrides, ..Sources::default() });
    let outcome = loaded.map_err(|error| error.to_string()).and_then(|loaded| {
        server::run(ServeOptions { config: loaded.config, started }).map_err(|e| e.to_string())
    });
    if let Err(why) = outcome {
        eprintln!("{why}");
        std::process::exit(1);
    }
}

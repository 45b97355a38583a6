//! The generator against a server that stalls.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::time::Duration;

use protocol::messages::ProduceResponse;
use protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use protocol::{ApiKey, frame};

use super::{Beat, Timing, Traffic};
use crate::frames::{self, Versions};
use crate::link::{Frame, Side};
use crate::outcome::Outcome;

const VERSIONS: Versions = Versions { produce: 9, fetch: 12 };
const TIMING: Timing = Timing {
    warm_up: Duration::from_millis(100),
    window: Duration::from_secs(1),
    patience: Duration::from_millis(200),
};

/// Answers every request, but from number `stalls_at` on only once `held` of them have come. Gives
/// back its address; ends with its connection.
fn server(stalls_at: usize, held: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || serve(listener.accept().unwrap().0, stalls_at, held));
    address
}

fn serve(mut socket: TcpStream, stalls_at: usize, held: usize) {
    let partition = PartitionProduceResponse::default();
    let topic = TopicProduceResponse { partition_responses: vec![partition], ..Default::default() };
    let answer = ProduceResponse { responses: vec![topic], ..Default::default() };
    let answer = frame::response(ApiKey::Produce, &answer, VERSIONS.produce, 1).unwrap().concat();
    let (mut came, mut answered) = (0, 0);
    while one_request(&mut socket).is_some() {
        // The greeting is the first, and its answer is not looked at.
        came += 1;
        let is_stalled = answered + 1 == stalls_at && came < stalls_at + held;
        while answered < came && !is_stalled {
            if socket.write_all(&answer).is_err() {
                return;
            }
            answered += 1;
            if answered + 1 == stalls_at && came < stalls_at + held {
                break;
            }
        }
    }
}

fn one_request(socket: &mut TcpStream) -> Option<()> {
    let mut prefix = [0; 4];
    socket.read_exact(&mut prefix).ok()?;
    let mut body = vec![0; u32::from_be_bytes(prefix) as usize];
    socket.read_exact(&mut body).ok()
}

fn drive(address: SocketAddr, beat: Beat, depth: usize) -> Outcome {
    let (batch, records) = crate::batches::build(&crate::cases::CASES[6], 1);
    let bytes = frames::produce(("topic", 0), &batch, frames::ACKS_ALL, VERSIONS.produce).unwrap();
    let frame = Frame { bytes, batch_bytes: batch.len() as u64, records };
    let mut traffic = Traffic::new(vec![frame], VERSIONS, depth).unwrap();
    traffic.open(address, Side::Writer { frames: vec![0], at: 0 }).unwrap();
    traffic.run(beat, TIMING, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn millis_at(outcome: &Outcome, quantile: f64) -> f64 {
    outcome.produce_latency.value_at_quantile(quantile) as f64 / 1e6
}

#[test]
fn a_stall_is_charged_for_every_request_that_it_made_wait() {
    // 300 requests come in 300 ms: the first of them waits that long, the last hardly.
    let outcome = drive(server(400, 300), Beat::PerSecond(1000.0), 10_000);
    assert_eq!(outcome.produce_latency.len(), 1000);
    assert_eq!(outcome.unanswered, 0);
    let (p99, most) = (millis_at(&outcome, 0.99), millis_at(&outcome, 1.0));
    assert!(most >= 295.0, "max {most}");
    assert!(p99 >= 280.0, "p99 {p99}");
    // A third of all waited: the 85th percentile is in the middle of them.
    assert!(millis_at(&outcome, 0.85) >= 100.0);
}

#[test]
fn what_waits_behind_the_depth_is_charged_from_its_intended_time() {
    // Only five may be in flight, so the server never sees the 300th and stalls for good.
    let outcome = drive(server(400, 300), Beat::PerSecond(1000.0), 5);
    assert_eq!(outcome.produce_latency.len(), 1000);
    // All behind the 400th, less the warm-up and the greeting.
    let answered = 400 - 1 - 100 - 1;
    assert!(outcome.unanswered >= 1000 - answered - 2, "{}", outcome.unanswered);
    assert!(millis_at(&outcome, 0.5) >= 350.0);
}

#[test]
fn at_saturation_a_connection_has_as_many_in_flight_as_it_may() {
    let outcome = drive(server(usize::MAX, 0), Beat::Answered, 5);
    assert!(outcome.produced.requests > 100, "{}", outcome.produced.requests);
    assert_eq!(outcome.produced.records, outcome.produced.requests);
    assert!(outcome.lateness.is_empty());
}

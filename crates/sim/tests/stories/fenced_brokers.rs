//! What clients hear from a broker that is not in service.

use protocol::messages::{DescribeClusterRequest, MetadataRequest};
use sim::cluster::Cluster;

const BROKERS: i8 = 1;

/// (the controller, the brokers) as Metadata says; DescribeCluster says the same.
fn told(cluster: &mut Cluster, by: usize) -> (i32, Vec<i32>) {
    let metadata = cluster.ask(by, &MetadataRequest { topics: None, ..Default::default() });
    let brokers: Vec<i32> = metadata.brokers.iter().map(|broker| broker.node_id).collect();
    let request = DescribeClusterRequest { endpoint_type: BROKERS, ..Default::default() };
    let described = cluster.ask(by, &request);
    assert_eq!(described.brokers.len(), brokers.len());
    assert_eq!(described.controller_id, metadata.controller_id);
    (metadata.controller_id, brokers)
}

/// librdkafka asks nobody as long as the one who is named is not among those who are told.
#[test]
fn it_names_as_controller_a_broker_that_it_tells_of() {
    let mut cluster = Cluster::in_service(4);
    assert_eq!(told(&mut cluster, 3), (3, vec![1, 2, 3]));
    cluster.kill(3);
    cluster.wait_until("fenced", |c| told(c, 1).1 == [1, 2]);
    cluster.start_again(3);
    let mut left_out = 0;
    while told(&mut cluster, 3).1.len() < 3 {
        let (controller, brokers) = told(&mut cluster, 3);
        match brokers.is_empty() {
            true => assert_eq!(controller, -1),
            false => assert!(brokers.contains(&controller), "{controller} of {brokers:?}"),
        }
        left_out += usize::from(!brokers.is_empty() && !brokers.contains(&3));
        cluster.run_for(1);
    }
    assert!(left_out > 0, "it was in service before it could be asked");
}

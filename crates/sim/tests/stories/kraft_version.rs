//! Voters that were named by their node ids alone become such that may change.

use protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use protocol::messages::update_features_request::{FeatureUpdateKey, UpdateFeaturesRequest};
use protocol::messages::{ApiVersionsRequest, DescribeQuorumRequest, RemoveRaftVoterRequest};
use sim::cluster::Cluster;
use types::{ErrorCode, Uuid};

const FEATURE: &str = "kraft.version";
const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;

fn registered(seed: u64) -> Cluster {
    let mut cluster = Cluster::in_service(seed);
    cluster.wait_until("all controllers are registered", |c| {
        (1..=3).all(|id| c.controllers(id).len() == 3)
    });
    cluster
}

/// The levels that node `id` can work at, and the one that it knows to be finalized.
fn levels(cluster: &mut Cluster, id: usize) -> ((i16, i16), Option<i16>) {
    let request = ApiVersionsRequest {
        client_software_name: "story".into(),
        client_software_version: "1".into(),
    };
    let told = cluster.ask(id, &request);
    let supported = told.supported_features.iter().find(|feature| *feature.name == *FEATURE);
    let finalized = told.finalized_features.iter().find(|feature| *feature.name == *FEATURE);
    let supported = supported.map(|feature| (feature.min_version, feature.max_version));
    (supported.expect("it is known"), finalized.map(|feature| feature.max_version_level))
}

fn update(cluster: &mut Cluster, level: i16, upgrade_type: i8) -> (ErrorCode, String) {
    ask_for(cluster, level, upgrade_type, false)
}

fn ask_for(
    cluster: &mut Cluster,
    level: i16,
    upgrade_type: i8,
    validate_only: bool,
) -> (ErrorCode, String) {
    let update = FeatureUpdateKey {
        feature: FEATURE.into(),
        max_version_level: level,
        upgrade_type,
        ..Default::default()
    };
    let feature_updates = vec![update];
    let request = UpdateFeaturesRequest { timeout_ms: 30_000, feature_updates, validate_only };
    let told = cluster.ask(1, &request);
    let error = ErrorCode::from_code(told.error_code).expect("a known error");
    let prefix = "The update failed for all features since the following feature had an error: ";
    let message = told.error_message.map(|message| message.to_string()).unwrap_or_default();
    (error, message.strip_prefix(prefix).unwrap_or(&message).to_owned())
}

/// The node and the directory of each voter, whoever leads first.
fn voters(cluster: &mut Cluster) -> Vec<(i32, Uuid)> {
    let partitions = vec![PartitionData { partition_index: 0 }];
    let topics = vec![TopicData { topic_name: "__cluster_metadata".into(), partitions }];
    let described = cluster.ask(1, &DescribeQuorumRequest { topics });
    let partition = &described.topics[0].partitions[0];
    let mut voters: Vec<_> = partition
        .current_voters
        .iter()
        .map(|voter| (voter.replica_id, voter.replica_directory_id))
        .collect();
    voters.sort_by_key(|(id, _)| (*id != partition.leader_id, *id));
    voters
}

fn remove(cluster: &mut Cluster, (voter_id, voter_directory_id): (i32, Uuid)) -> ErrorCode {
    let request = RemoveRaftVoterRequest { cluster_id: None, voter_id, voter_directory_id };
    let code = cluster.ask(1, &request).error_code;
    ErrorCode::from_code(code).expect("a known error")
}

#[test]
fn every_node_knows_that_kraft_version_was_raised_and_still_does_after_a_restart() {
    let mut cluster = registered(11);
    for id in 1..=3 {
        assert_eq!(levels(&mut cluster, id), ((0, 1), None), "0 is not finalized");
    }
    let gone = *voters(&mut cluster).last().expect("three");
    assert_eq!(remove(&mut cluster, gone), ErrorCode::UnsupportedVersion);
    let raised = (ErrorCode::None, String::new());
    assert_eq!(ask_for(&mut cluster, 1, UPGRADE, true), raised);
    assert_eq!(levels(&mut cluster, 1).1, None, "it was only asked whether it could be");
    assert_eq!(update(&mut cluster, 1, UPGRADE), raised);
    cluster.wait_until("all know", |c| (1..=3).all(|id| levels(c, id).1 == Some(1)));
    for id in 1..=3 {
        cluster.kill(id);
        cluster.start_again(id);
    }
    cluster.wait_until("all know", |c| (1..=3).all(|id| levels(c, id).1 == Some(1)));
    cluster.create_topic("t", &[&[1, 2, 3]], &[]);
    // Raised once: the same again changes nothing, and nothing takes it back.
    assert_eq!(update(&mut cluster, 1, UPGRADE), raised);
    let refused = |why: &str| (ErrorCode::InvalidUpdateVersion, why.to_owned());
    let back = refused(
        "Invalid update version 0 for feature kraft.version. Can't downgrade the version of this \
         feature.",
    );
    assert_eq!(update(&mut cluster, 0, SAFE_DOWNGRADE), back);
    let unsaid = refused(
        "Invalid update version 0 for feature kraft.version. Can't downgrade the version of this \
         feature without setting the upgrade type to either safe or unsafe downgrade.",
    );
    assert_eq!(update(&mut cluster, 0, UPGRADE), unsaid);
    let (error, why) = update(&mut cluster, 2, UPGRADE);
    assert_eq!(error, ErrorCode::InvalidUpdateVersion);
    assert!(why.ends_with("only supports versions 0-1"), "{why}");
}

#[test]
fn a_voter_is_removed_once_kraft_version_was_raised_and_the_others_go_on() {
    for seed in 20..24 {
        let mut cluster = registered(seed);
        let before = voters(&mut cluster);
        assert_eq!(update(&mut cluster, 1, UPGRADE), (ErrorCode::None, String::new()));
        assert_eq!(voters(&mut cluster), before, "they keep their directories");
        // The leader itself, every other time.
        let gone = before[if seed % 2 == 0 { 0 } else { 2 }];
        assert_eq!(remove(&mut cluster, gone), ErrorCode::None, "seed {seed}");
        for id in 1..=3 {
            cluster.kill(id);
            cluster.start_again(id);
        }
        cluster.wait_until("two vote", |c| {
            voters(c).len() == 2 && voters(c).iter().all(|voter| *voter != gone)
        });
        cluster.create_topic("t", &[&[1, 2, 3]], &[]);
        let known = levels(&mut cluster, gone.0 as usize);
        assert_eq!(known, ((0, 1), Some(1)), "seed {seed}: it observes");
    }
}

#[test]
fn kraft_version_is_not_raised_while_a_controller_has_not_registered() {
    let mut cluster = Cluster::of_silent_controllers(12);
    let (error, why) = update(&mut cluster, 1, UPGRADE);
    assert_eq!(error, ErrorCode::InvalidUpdateVersion);
    let expected = "has not registered, and may not support this feature";
    assert!(why.ends_with(expected), "{why}");
    assert_eq!(levels(&mut cluster, 2).1, None);
}

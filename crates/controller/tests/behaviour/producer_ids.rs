use std::collections::BTreeSet;

use proptest::prelude::*;
use protocol::messages::allocate_producer_ids_request::AllocateProducerIdsRequest;
use types::{BrokerId, ErrorCode};

use crate::harness::Cluster;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Which broker asks, whether the decision is committed, whether the answer arrives.
    Ask {
        broker: i32,
        committed: bool,
        heard: bool,
    },
    FailOver,
    Restart {
        broker: i32,
    },
    /// A request of the life before.
    AskStale {
        broker: i32,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let broker = || 0i32..3;
    prop_oneof![
        6 => (broker(), any::<bool>(), any::<bool>())
            .prop_map(|(broker, committed, heard)| Step::Ask { broker, committed, heard }),
        1 => Just(Step::FailOver),
        1 => broker().prop_map(|broker| Step::Restart { broker }),
        1 => broker().prop_map(|broker| Step::AskStale { broker }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_producer_id_is_given_out_twice_whatever_answers_get_lost(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut cluster = Cluster::with_brokers(3);
        let mut given = BTreeSet::new();
        let mut lives = [1u8; 3];
        for step in steps {
            match step {
                Step::Ask { broker, committed, heard } => {
                    let broker_epoch = cluster.epoch(broker).0;
                    let request = AllocateProducerIdsRequest { broker_id: broker, broker_epoch };
                    let result = cluster.controller.allocate_producer_ids(&request);
                    // An answer leaves after the commit, if at all.
                    if committed {
                        let reply = cluster.commit(result);
                        prop_assert_eq!(reply.error_code, 0);
                        let ids = reply.producer_id_start
                            ..reply.producer_id_start + i64::from(reply.producer_id_len);
                        if heard {
                            prop_assert!(given.iter().all(|id| !ids.contains(id)));
                            given.extend([ids.start, ids.end - 1]);
                        }
                    }
                }
                Step::FailOver => cluster.fail_over(),
                Step::Restart { broker } => {
                    let epoch = cluster.epoch(broker);
                    cluster.controller.handle_broker_gone(BrokerId(broker), epoch);
                    lives[broker as usize] += 1;
                    let again = cluster.register(broker, lives[broker as usize], None);
                    prop_assert!(again.is_ok());
                }
                Step::AskStale { broker } => {
                    let broker_epoch = cluster.epoch(broker).0 - 1;
                    let request = AllocateProducerIdsRequest { broker_id: broker, broker_epoch };
                    let result = cluster.controller.allocate_producer_ids(&request);
                    prop_assert!(result.records.is_empty());
                    let refused = ErrorCode::StaleBrokerEpoch.code();
                    prop_assert_eq!(result.reply.error_code, refused);
                }
            }
        }
    }
}

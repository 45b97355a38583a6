//! The brokers, the voters, and where the replicas of partitions are.

use std::collections::BTreeMap;

use protocol::messages::{DescribeClusterRequest, UnregisterBrokerRequest};

use super::topics::unanswered;
use crate::error::ClientError;
use crate::routing::Client;

const BROKERS: i8 = 1;

/// One registered broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: i32,
    pub address: String,
    pub rack: Option<String>,
    /// Out of service.
    pub is_fenced: bool,
}

impl Client {
    /// All brokers, with those out of service.
    pub fn members(&mut self) -> Result<Vec<Member>, ClientError> {
        let request = DescribeClusterRequest {
            endpoint_type: BROKERS,
            include_fenced_brokers: true,
            ..Default::default()
        };
        let answer = self.call_any(&request)?;
        if answer.error_code != 0 {
            let message = answer.error_message.as_deref();
            return Err(ClientError::broker("list the brokers", answer.error_code, message));
        }
        let member =
            |broker: &protocol::messages::describe_cluster_response::DescribeClusterBroker| {
                Member {
                    id: broker.broker_id,
                    address: format!("{}:{}", broker.host, broker.port),
                    rack: broker.rack.as_deref().map(str::to_owned),
                    is_fenced: broker.is_fenced,
                }
            };
        Ok(answer.brokers.iter().map(member).collect())
    }

    /// Makes the cluster forget a broker that will not come back.
    pub fn unregister_broker(&mut self, broker_id: i32) -> Result<(), ClientError> {
        let answer = self.call_controller(&UnregisterBrokerRequest { broker_id })?;
        match answer.error_code {
            0 => Ok(()),
            code => {
                let what = format!("forget broker {broker_id}");
                Err(ClientError::broker(what, code, answer.error_message.as_deref()))
            }
        }
    }

    /// Makes the preferred replica of a partition its leader, or on demand any that lives.
    pub fn elect_leader(
        &mut self,
        topic: &str,
        partition: i32,
        unclean: bool,
    ) -> Result<(), ClientError> {
        let place = (topic.to_owned(), partition);
        let mut outcomes = self.elect_leaders(Some(std::slice::from_ref(&place)), unclean)?;
        outcomes.remove(&place).unwrap_or_else(|| Err(unanswered("elect a leader")))
    }

    /// Lets the replicas of a partition be on these brokers; `None` takes a move back that is
    /// under way.
    pub fn move_partition(
        &mut self,
        topic: &str,
        partition: i32,
        replicas: Option<Vec<i32>>,
    ) -> Result<(), ClientError> {
        let place = (topic.to_owned(), partition);
        let wanted = BTreeMap::from([(place.clone(), replicas)]);
        let mut outcomes = self.reassign(&wanted, true)?;
        outcomes.remove(&place).unwrap_or_else(|| Err(unanswered("move a partition")))
    }
}

//! Values of `__cluster_metadata`, and the control records of its log and snapshots.
//!
//! Generated from `schema/metadata_records/` by `cargo xtask codegen`.

pub mod abort_transaction_record;
pub mod access_control_entry_record;
pub mod begin_transaction_record;
pub mod broker_registration_change_record;
pub mod clear_elr_record;
pub mod client_quota_record;
pub mod config_record;
pub mod delegation_token_record;
pub mod end_transaction_record;
pub mod feature_level_record;
pub mod fence_broker_record;
pub mod kraft_version_record;
pub mod leader_change_message;
pub mod no_op_record;
pub mod partition_change_record;
pub mod partition_record;
pub mod producer_ids_record;
pub mod register_broker_record;
pub mod register_controller_record;
pub mod remove_access_control_entry_record;
pub mod remove_delegation_token_record;
pub mod remove_topic_record;
pub mod remove_user_scram_credential_record;
pub mod snapshot_footer_record;
pub mod snapshot_header_record;
pub mod topic_record;
pub mod unfence_broker_record;
pub mod unregister_broker_record;
pub mod user_scram_credential_record;
pub mod voters_record;
pub mod zk_migration_state_record;

pub use abort_transaction_record::AbortTransactionRecord;
pub use access_control_entry_record::AccessControlEntryRecord;
pub use begin_transaction_record::BeginTransactionRecord;
pub use broker_registration_change_record::BrokerRegistrationChangeRecord;
pub use clear_elr_record::ClearElrRecord;
pub use client_quota_record::ClientQuotaRecord;
pub use config_record::ConfigRecord;
pub use delegation_token_record::DelegationTokenRecord;
pub use end_transaction_record::EndTransactionRecord;
pub use feature_level_record::FeatureLevelRecord;
pub use fence_broker_record::FenceBrokerRecord;
pub use kraft_version_record::KRaftVersionRecord;
pub use leader_change_message::LeaderChangeMessage;
pub use no_op_record::NoOpRecord;
pub use partition_change_record::PartitionChangeRecord;
pub use partition_record::PartitionRecord;
pub use producer_ids_record::ProducerIdsRecord;
pub use register_broker_record::RegisterBrokerRecord;
pub use register_controller_record::RegisterControllerRecord;
pub use remove_access_control_entry_record::RemoveAccessControlEntryRecord;
pub use remove_delegation_token_record::RemoveDelegationTokenRecord;
pub use remove_topic_record::RemoveTopicRecord;
pub use remove_user_scram_credential_record::RemoveUserScramCredentialRecord;
pub use snapshot_footer_record::SnapshotFooterRecord;
pub use snapshot_header_record::SnapshotHeaderRecord;
pub use topic_record::TopicRecord;
pub use unfence_broker_record::UnfenceBrokerRecord;
pub use unregister_broker_record::UnregisterBrokerRecord;
pub use user_scram_credential_record::UserScramCredentialRecord;
pub use voters_record::VotersRecord;
pub use zk_migration_state_record::ZkMigrationStateRecord;

use crate::{DecodeError, Json, Message, Numbered, Reader};

/// Kafka's name of a record type of `__cluster_metadata`, and the record that follows in `r`
/// as JSON; `None` if the type is unknown.
pub fn record_json(
    id: i16,
    r: &mut Reader,
    version: i16,
) -> Result<Option<(&'static str, String)>, DecodeError> {
    Ok(Some(match id {
        AbortTransactionRecord::ID => (
            "ABORT_TRANSACTION_RECORD",
            AbortTransactionRecord::decode(r, version)?.to_json(version),
        ),
        AccessControlEntryRecord::ID => (
            "ACCESS_CONTROL_ENTRY_RECORD",
            AccessControlEntryRecord::decode(r, version)?.to_json(version),
        ),
        BeginTransactionRecord::ID => (
            "BEGIN_TRANSACTION_RECORD",
            BeginTransactionRecord::decode(r, version)?.to_json(version),
        ),
        BrokerRegistrationChangeRecord::ID => (
            "BROKER_REGISTRATION_CHANGE_RECORD",
            BrokerRegistrationChangeRecord::decode(r, version)?.to_json(version),
        ),
        ClearElrRecord::ID => {
            ("CLEAR_ELR_RECORD", ClearElrRecord::decode(r, version)?.to_json(version))
        }
        ClientQuotaRecord::ID => {
            ("CLIENT_QUOTA_RECORD", ClientQuotaRecord::decode(r, version)?.to_json(version))
        }
        ConfigRecord::ID => ("CONFIG_RECORD", ConfigRecord::decode(r, version)?.to_json(version)),
        DelegationTokenRecord::ID => {
            ("DELEGATION_TOKEN_RECORD", DelegationTokenRecord::decode(r, version)?.to_json(version))
        }
        EndTransactionRecord::ID => {
            ("END_TRANSACTION_RECORD", EndTransactionRecord::decode(r, version)?.to_json(version))
        }
        FeatureLevelRecord::ID => {
            ("FEATURE_LEVEL_RECORD", FeatureLevelRecord::decode(r, version)?.to_json(version))
        }
        FenceBrokerRecord::ID => {
            ("FENCE_BROKER_RECORD", FenceBrokerRecord::decode(r, version)?.to_json(version))
        }
        NoOpRecord::ID => ("NO_OP_RECORD", NoOpRecord::decode(r, version)?.to_json(version)),
        PartitionChangeRecord::ID => {
            ("PARTITION_CHANGE_RECORD", PartitionChangeRecord::decode(r, version)?.to_json(version))
        }
        PartitionRecord::ID => {
            ("PARTITION_RECORD", PartitionRecord::decode(r, version)?.to_json(version))
        }
        ProducerIdsRecord::ID => {
            ("PRODUCER_IDS_RECORD", ProducerIdsRecord::decode(r, version)?.to_json(version))
        }
        RegisterBrokerRecord::ID => {
            ("REGISTER_BROKER_RECORD", RegisterBrokerRecord::decode(r, version)?.to_json(version))
        }
        RegisterControllerRecord::ID => (
            "REGISTER_CONTROLLER_RECORD",
            RegisterControllerRecord::decode(r, version)?.to_json(version),
        ),
        RemoveAccessControlEntryRecord::ID => (
            "REMOVE_ACCESS_CONTROL_ENTRY_RECORD",
            RemoveAccessControlEntryRecord::decode(r, version)?.to_json(version),
        ),
        RemoveDelegationTokenRecord::ID => (
            "REMOVE_DELEGATION_TOKEN_RECORD",
            RemoveDelegationTokenRecord::decode(r, version)?.to_json(version),
        ),
        RemoveTopicRecord::ID => {
            ("REMOVE_TOPIC_RECORD", RemoveTopicRecord::decode(r, version)?.to_json(version))
        }
        RemoveUserScramCredentialRecord::ID => (
            "REMOVE_USER_SCRAM_CREDENTIAL_RECORD",
            RemoveUserScramCredentialRecord::decode(r, version)?.to_json(version),
        ),
        TopicRecord::ID => ("TOPIC_RECORD", TopicRecord::decode(r, version)?.to_json(version)),
        UnfenceBrokerRecord::ID => {
            ("UNFENCE_BROKER_RECORD", UnfenceBrokerRecord::decode(r, version)?.to_json(version))
        }
        UnregisterBrokerRecord::ID => (
            "UNREGISTER_BROKER_RECORD",
            UnregisterBrokerRecord::decode(r, version)?.to_json(version),
        ),
        UserScramCredentialRecord::ID => (
            "USER_SCRAM_CREDENTIAL_RECORD",
            UserScramCredentialRecord::decode(r, version)?.to_json(version),
        ),
        ZkMigrationStateRecord::ID => (
            "ZK_MIGRATION_STATE_RECORD",
            ZkMigrationStateRecord::decode(r, version)?.to_json(version),
        ),
        _ => return Ok(None),
    }))
}

//! ConsumerGroupMemberMetadataValue (key version 5), version 0, flexible.
//!
//! Generated from `schema/offsets_records/consumer_group_member_metadata_value.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Fields, Message, Numbered, Reader, Str, Writer};

/// What a consumer group member told about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupMemberMetadataValue {
    pub instance_id: Option<Str>,
    pub rack_id: Option<Str>,
    pub client_id: Str,
    pub client_host: Str,
    pub subscribed_topic_names: Vec<Str>,
    pub subscribed_topic_regex: Option<Str>,
    pub rebalance_timeout_ms: i32,
    pub server_assignor: Option<Str>,
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
}

impl Default for ConsumerGroupMemberMetadataValue {
    fn default() -> Self {
        ConsumerGroupMemberMetadataValue {
            instance_id: Some(Str::default()),
            rack_id: Some(Str::default()),
            client_id: Str::default(),
            client_host: Str::default(),
            subscribed_topic_names: Vec::new(),
            subscribed_topic_regex: Some(Str::default()),
            rebalance_timeout_ms: -1,
            server_assignor: Some(Str::default()),
            classic_member_metadata: Some(ClassicMemberMetadata::default()),
        }
    }
}

impl Fields for ConsumerGroupMemberMetadataValue {
    const MIN_BYTES: usize = 12;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let mut it = ConsumerGroupMemberMetadataValue {
            instance_id: r.nullable_string()?,
            rack_id: r.nullable_string()?,
            client_id: r.string()?,
            client_host: r.string()?,
            subscribed_topic_names: r.array(1, Reader::string)?,
            subscribed_topic_regex: r.nullable_string()?,
            rebalance_timeout_ms: r.i32()?,
            server_assignor: r.nullable_string()?,
            classic_member_metadata: Some(ClassicMemberMetadata::default()),
        };
        r.tags(|r, tag| {
            if tag == 0 {
                it.classic_member_metadata = r.nullable_structure(version)?;
            }
            Ok(())
        })?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.nullable_string(&self.instance_id)?;
        w.nullable_string(&self.rack_id)?;
        w.string(&self.client_id)?;
        w.string(&self.client_host)?;
        w.strings(&self.subscribed_topic_names)?;
        w.nullable_string(&self.subscribed_topic_regex)?;
        w.i32(self.rebalance_timeout_ms);
        w.nullable_string(&self.server_assignor)?;
        w.tags(|tags| {
            if self.classic_member_metadata != Some(ClassicMemberMetadata::default()) {
                tags.field(0, |w| w.nullable_structure(&self.classic_member_metadata, version))?;
            }
            Ok(())
        })
    }
}

impl Message for ConsumerGroupMemberMetadataValue {
    const NAME: &'static str = "ConsumerGroupMemberMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Numbered for ConsumerGroupMemberMetadataValue {
    const ID: i16 = 5;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassicMemberMetadata {
    pub session_timeout_ms: i32,
    pub supported_protocols: Vec<ClassicProtocol>,
}

impl Fields for ClassicMemberMetadata {
    const MIN_BYTES: usize = 6;

    fn read(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let it = ClassicMemberMetadata {
            session_timeout_ms: r.i32()?,
            supported_protocols: r.structs(version)?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        w.i32(self.session_timeout_ms);
        w.structs(&self.supported_protocols, version)?;
        w.no_tags();
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassicProtocol {
    pub name: Str,
    pub metadata: Bytes,
}

impl Fields for ClassicProtocol {
    const MIN_BYTES: usize = 3;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = ClassicProtocol { name: r.string()?, metadata: r.bytes()? };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.name)?;
        w.bytes(&self.metadata)?;
        w.no_tags();
        Ok(())
    }
}

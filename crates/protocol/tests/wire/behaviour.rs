//! What a user of the codec may rely on, one promise a test.

use bytes::Bytes;
use protocol::header::{RequestHeader, ResponseHeader};
use protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use protocol::messages::{
    ApiVersionsResponse, DescribeGroupsRequest, FetchRequest, FetchResponse, HeartbeatRequest,
    JoinGroupRequest, ListOffsetsResponse, MetadataRequest, ProduceRequest, TxnOffsetCommitRequest,
};
use protocol::{
    ApiKey, DecodeErrorKind, EncodeErrorKind, Message, Reader, Str, UNCOPIED_BYTES_MIN, Writer,
    frame,
};

#[test]
fn a_field_the_version_lacks_is_refused_unless_it_is_ignorable() {
    let important = JoinGroupRequest {
        group_instance_id: Some("static".into()),
        reason: Some("because".into()),
        ..JoinGroupRequest::default()
    };
    let refused = important.to_bytes(4).unwrap_err();
    assert_eq!(refused.kind, EncodeErrorKind::FieldNotInVersion("group_instance_id"));
    let ignorable = JoinGroupRequest { group_instance_id: None, ..important };
    let sent = JoinGroupRequest::from_bytes(ignorable.to_bytes(4).unwrap(), 4).unwrap();
    assert_eq!(sent.reason, None);
}

#[test]
fn a_response_leaves_out_what_an_older_version_cannot_be_told() {
    let offset = ListOffsetsPartitionResponse { leader_epoch: 3, offset: 9, ..Default::default() };
    let topic = ListOffsetsTopicResponse { partitions: vec![offset], ..Default::default() };
    let response = ListOffsetsResponse { topics: vec![topic], ..Default::default() };
    let refused = response.to_bytes(2).unwrap_err();
    assert_eq!(refused.kind, EncodeErrorKind::FieldNotInVersion("leader_epoch"));
    let frame = frame::response(ApiKey::ListOffsets, &response, 2, 1).unwrap().concat();
    let body = Bytes::from(frame).slice(frame::PREFIX_BYTES + 4..);
    let read = ListOffsetsResponse::from_bytes(body, 2).unwrap();
    let partition = &read.topics[0].partitions[0];
    assert_eq!((partition.offset, partition.leader_epoch), (9, -1));
}

#[test]
fn a_field_the_version_lacks_comes_back_at_kafkas_default() {
    let fetch = FetchRequest { session_id: 9, session_epoch: 4, ..FetchRequest::default() };
    let old = FetchRequest::from_bytes(fetch.to_bytes(4).unwrap(), 4).unwrap();
    assert_eq!((old.session_id, old.session_epoch, old.max_bytes), (0, -1, i32::MAX));
}

#[test]
fn null_is_refused_where_the_version_cannot_say_it() {
    let all_topics = MetadataRequest { topics: None, ..MetadataRequest::default() };
    let refused = all_topics.to_bytes(0).unwrap_err();
    assert_eq!(refused.kind, EncodeErrorKind::NullField("topics"));
    assert!(all_topics.to_bytes(1).is_ok());
    let null_array = Bytes::from_static(&[0xff; 4]);
    let refused = MetadataRequest::from_bytes(null_array.clone(), 0).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::UnexpectedNull);
    assert_eq!(MetadataRequest::from_bytes(null_array, 1).unwrap().topics, None);
}

#[test]
fn a_null_string_is_refused_where_a_value_must_be() {
    let rigid = HeartbeatRequest::from_bytes(Bytes::from_static(&[0xff, 0xff]), 0);
    let compact = HeartbeatRequest::from_bytes(Bytes::from_static(&[0]), 4);
    for refused in [rigid, compact] {
        assert_eq!(refused.unwrap_err().kind, DecodeErrorKind::UnexpectedNull);
    }
}

#[test]
fn text_that_is_not_utf8_is_mended_as_java_mends_it_and_paid_for() {
    let bytes = Bytes::from_static(b"\0\x03a\xffb");
    let mut r = Reader::new(bytes);
    assert_eq!(r.string().unwrap(), "a\u{fffd}b");
    // Within the budget of its own frame, whatever its length.
    let mut bytes = i16::MAX.to_be_bytes().to_vec();
    bytes.resize(2 + 32767, 0xff);
    assert_eq!(Reader::new(bytes.into()).string().unwrap().len(), 3 * 32767);
}

#[test]
fn unknown_tags_and_what_a_tag_appends_are_skipped() {
    let header = ResponseHeader { correlation_id: 7 };
    let known = header.to_bytes(1).unwrap();
    let mut bytes = known[..4].to_vec();
    // Two tagged fields: number 99 of three bytes, number 5000 of none.
    bytes.extend([2, 99, 3, 0xaa, 0xbb, 0xcc, 0x88, 0x27, 0]);
    assert_eq!(ResponseHeader::from_bytes(bytes.into(), 1), Ok(header));
    // ApiVersions v3, tag 1 (finalized_features_epoch) with a byte more than its eight.
    let mut bytes = vec![0, 0, 1, 0, 0, 0, 0, 1, 1, 9];
    bytes.extend([0, 0, 0, 0, 0, 0, 0, 5, 0xee]);
    let response = ApiVersionsResponse::from_bytes(bytes.into(), 3).unwrap();
    assert_eq!(response.finalized_features_epoch, 5);
}

#[test]
fn a_tagged_field_cannot_reach_beyond_its_own_length() {
    let mut bytes = vec![0, 0, 1, 0, 0, 0, 0, 1, 1, 7];
    bytes.extend([0; 16]);
    let refused = ApiVersionsResponse::from_bytes(bytes.into(), 3).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::Truncated { wanted: 8, remaining: 7 });
}

#[test]
fn bytes_after_the_message_are_reported() {
    let mut bytes = HeartbeatRequest::default().to_bytes(0).unwrap().to_vec();
    bytes.push(0);
    let refused = HeartbeatRequest::from_bytes(bytes.into(), 0).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::TrailingBytes(1));
}

fn fetch_response(records: &Bytes) -> FetchResponse {
    let data = PartitionData { records: Some(records.clone()), ..PartitionData::default() };
    let topic = FetchableTopicResponse {
        partitions: vec![data.clone(), data],
        ..FetchableTopicResponse::default()
    };
    FetchResponse { responses: vec![topic], ..FetchResponse::default() }
}

#[test]
fn a_fetch_response_passes_its_records_on_uncopied() {
    let records = Bytes::from(vec![7; UNCOPIED_BYTES_MIN]);
    for version in FetchResponse::VERSIONS {
        let response = fetch_response(&records);
        let parts = frame::response(ApiKey::Fetch, &response, version, 3).unwrap();
        let shared = parts.iter().filter(|part| part.as_ptr() == records.as_ptr()).count();
        assert_eq!(shared, 2, "v{version}");
        let flat: Vec<u8> = parts.concat();
        assert_eq!(flat[..4], i32::to_be_bytes(flat.len() as i32 - 4));
        let mut r = Reader::new(Bytes::from(flat).slice(4..));
        let header_version = ApiKey::Fetch.response_header_version(version);
        assert_eq!(ResponseHeader::decode(&mut r, header_version).unwrap().correlation_id, 3);
        assert_eq!(FetchResponse::decode(&mut r, version), Ok(response));
    }
}

#[test]
fn small_byte_fields_do_not_tear_the_frame_apart() {
    let response = fetch_response(&Bytes::from_static(b"little"));
    assert_eq!(frame::response(ApiKey::Fetch, &response, 17, 3).unwrap().len(), 1);
}

#[test]
fn decoded_text_and_records_share_the_frame() {
    let mut w = Writer::new();
    let request = ProduceRequest { transactional_id: Some("me".into()), ..Default::default() };
    request.encode(&mut w, 9).unwrap();
    let frame = w.into_bytes();
    let decoded = ProduceRequest::from_bytes(frame.clone(), 9).unwrap();
    let text = decoded.transactional_id.unwrap().into_bytes();
    assert!(frame.as_ptr_range().contains(&text.as_ptr()));
}

#[test]
fn a_request_header_is_read_in_the_version_its_key_and_version_call_for() {
    for (key, version) in [(ApiKey::Metadata, 8), (ApiKey::Metadata, 9), (ApiKey::ApiVersions, 4)] {
        let header = RequestHeader {
            request_api_key: key.as_i16(),
            request_api_version: version,
            correlation_id: 5,
            client_id: Some("probe".into()),
        };
        let bytes = header.to_bytes(key.request_header_version(version)).unwrap();
        let mut r = Reader::new(bytes);
        let read = RequestHeader::read(&mut r).unwrap();
        assert_eq!((read.api(), read.has_known_version()), (Some(key), true));
        assert_eq!((read, r.remaining()), (header, 0));
    }
}

#[test]
fn an_api_versions_request_from_the_future_still_has_a_readable_header() {
    // Key 18, version 99, correlation id 1, client id "a" with its old length, no tagged fields.
    let bytes = [0, 18, 0, 99, 0, 0, 0, 1, 0, 1, b'a', 0, 0xde, 0xad];
    let header = RequestHeader::read(&mut Reader::new(Bytes::copy_from_slice(&bytes))).unwrap();
    assert_eq!((header.correlation_id, header.client_id.as_deref()), (1, Some("a")));
    assert!(!header.has_known_version());
}

#[test]
fn a_key_nobody_knows_is_refused_with_its_number() {
    let bytes = Bytes::from_static(&[0, 7, 0, 0, 0, 0, 0, 1]);
    let refused = RequestHeader::read(&mut Reader::new(bytes)).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::UnknownApiKey(7));
}

#[test]
fn an_array_that_the_remaining_bytes_cannot_hold_is_refused_before_it_is_read() {
    // A million topics in seven bytes, each of which takes at least three.
    let mut bytes = 1_000_000i32.to_be_bytes().to_vec();
    bytes.extend([0; 7]);
    let refused = MetadataRequest::from_bytes(bytes.into(), 1).unwrap_err();
    let kind = DecodeErrorKind::ArrayTooLong { elements: 1_000_000, remaining: 7 };
    assert_eq!(refused.kind, kind);
}

#[test]
fn arrays_share_one_budget_of_memory() {
    // 4000 one-byte elements that each become 1 KiB: possible by length, beyond the budget.
    let mut bytes = 4000i32.to_be_bytes().to_vec();
    bytes.extend([1; 4000]);
    let mut r = Reader::new(bytes.into());
    let refused = r.array(1, |r| r.i8().map(|byte| [byte; 1024])).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::TooMuchMemory);
}

#[test]
fn an_array_of_empty_strings_is_within_the_budget() {
    let request = DescribeGroupsRequest {
        groups: vec![Str::default(); 100_000],
        ..DescribeGroupsRequest::default()
    };
    let bytes = request.to_bytes(5).unwrap();
    assert_eq!(DescribeGroupsRequest::from_bytes(bytes, 5), Ok(request));
}

#[test]
fn varints_beyond_32_bits_are_refused() {
    let read = |bytes: &[u8]| Reader::new(Bytes::copy_from_slice(bytes)).unsigned_varint();
    assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(u32::MAX));
    assert_eq!(read(&[0x80, 0x01]), Ok(128));
    for bytes in [&[0xff, 0xff, 0xff, 0xff, 0x1f][..], &[0x80; 9]] {
        assert_eq!(read(bytes).unwrap_err().kind, DecodeErrorKind::VarintTooLong);
    }
}

#[test]
fn a_string_that_outgrows_its_two_byte_length_is_not_sent() {
    let request = TxnOffsetCommitRequest {
        transactional_id: "x".repeat(40_000).into(),
        ..TxnOffsetCommitRequest::default()
    };
    let refused = request.to_bytes(2).unwrap_err();
    assert_eq!(refused.kind, EncodeErrorKind::TooLong(40_000));
    assert!(request.to_bytes(3).is_ok());
}

#[test]
fn frame_lengths_below_zero_or_above_the_bound_are_refused() {
    assert_eq!(frame::length([0, 0, 1, 0], 256), Ok(256));
    assert_eq!(frame::length([0, 0, 1, 1], 256).unwrap_err().claimed, 257);
    assert_eq!(frame::length([0xff; 4], usize::MAX).unwrap_err().claimed, -1);
}

//! Frames captured from real clients and brokers: read, and written again to the same bytes.
//!
//! `testdata/wire/<api>_v<N>_{req,resp}.hex` holds header and body without the length; white space
//! and `#` comments are free. `testdata/wire/served.txt` lists what must be there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use protocol::header::{RequestHeader, ResponseHeader};
use protocol::{ApiKey, Message, Reader, Writer};

use crate::exercise::Exercise;

/// What a capture's file name says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Title {
    key: ApiKey,
    version: i16,
    request: bool,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/wire")
}

/// `produce_v9_req` → Produce, 9, request.
fn title(stem: &str) -> Option<Title> {
    let (rest, direction) = stem.rsplit_once('_')?;
    let (api, version) = rest.rsplit_once("_v")?;
    let request = match direction {
        "req" => true,
        "resp" => false,
        _ => return None,
    };
    Some(Title { key: key(api)?, version: version.parse().ok()?, request })
}

fn key(snake: &str) -> Option<ApiKey> {
    let plain = snake.replace('_', "");
    ApiKey::ALL.into_iter().find(|key| key.name().eq_ignore_ascii_case(&plain))
}

fn unhex(text: &str) -> Vec<u8> {
    let code = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let digits: String = code.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    assert!(digits.len().is_multiple_of(2), "an odd number of hex digits");
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits")).collect()
}

/// Reads a frame and writes it again.
fn rewritten(title: &Title, frame: Bytes) -> Result<Bytes, String> {
    let mut r = Reader::new(frame);
    let mut w = Writer::new();
    let (written, suffix) = match title.request {
        true => {
            let header = RequestHeader::read(&mut r).map_err(|error| error.to_string())?;
            let told = (header.api(), header.request_api_version);
            if told != (Some(title.key), title.version) {
                return Err(format!("the header says {told:?}"));
            }
            (header.encode(&mut w, title.key.request_header_version(title.version)), "Request")
        }
        false => {
            let version = title.key.response_header_version(title.version);
            let header = ResponseHeader::decode(&mut r, version).map_err(|e| e.to_string())?;
            (header.encode(&mut w, version), "Response")
        }
    };
    written.map_err(|error| error.to_string())?;
    let body = Exercise::find(&format!("{}{suffix}", title.key)).expect("every key has both");
    let body = body.echo(r.rest(), title.version).map_err(|error| error.to_string())?;
    let mut whole = BytesMut::from(w.into_bytes());
    whole.extend_from_slice(&body);
    Ok(whole.freeze())
}

fn captures() -> Vec<(Title, PathBuf)> {
    let list = fs::read_dir(folder()).expect("the folder of captures");
    let paths = list.map(|entry| entry.unwrap().path());
    let hex = paths.filter(|path| path.extension().is_some_and(|extension| extension == "hex"));
    hex.map(|path| {
        let title = title(path.file_stem().unwrap().to_str().unwrap());
        (title.unwrap_or_else(|| panic!("{path:?} names no API and version")), path)
    })
    .collect()
}

/// The captures that `served.txt` asks for: lines of an API and a range of versions.
fn wanted(served: &str) -> Vec<Title> {
    let lines = served.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let mut titles = Vec::new();
    for line in lines {
        let (api, range) = line.split_once(' ').unwrap_or((line, ""));
        let key = key(api).unwrap_or_else(|| panic!("served.txt: no API {api}"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| text.parse::<i16>().unwrap_or_else(|_| panic!("{line}"));
        for version in number(first)..=number(last) {
            titles.extend([true, false].map(|request| Title { key, version, request }));
        }
    }
    titles
}

#[test]
fn captured_frames_are_written_as_they_were_read() {
    for (title, path) in captures() {
        let frame = Bytes::from(unhex(&fs::read_to_string(&path).unwrap()));
        assert_eq!(rewritten(&title, frame.clone()), Ok(frame), "{}", path.display());
    }
}

#[test]
fn every_served_version_has_its_captures() {
    let served = fs::read_to_string(folder().join("served.txt")).expect("served.txt");
    let present: BTreeSet<Title> = captures().into_iter().map(|(title, _)| title).collect();
    let missing: Vec<Title> =
        wanted(&served).into_iter().filter(|t| !present.contains(t)).collect();
    assert_eq!(missing, Vec::new());
}

#[test]
fn a_capture_that_does_not_say_what_its_name_says_is_found_out() {
    // ApiVersions v0, correlation id 1, client id "a".
    let frame = Bytes::from(unhex("0012 0000 # key and version\n00000001 0001 61"));
    let honest = title("api_versions_v0_req").unwrap();
    assert_eq!(rewritten(&honest, frame.clone()), Ok(frame.clone()));
    assert!(rewritten(&title("api_versions_v1_req").unwrap(), frame.clone()).is_err());
    assert!(rewritten(&honest, frame.slice(..9)).is_err());
    assert_eq!(title("api_versions_v1"), None);
    assert_eq!(wanted("# none\n\napi_versions 0-1\nproduce 3\n").len(), 6);
}

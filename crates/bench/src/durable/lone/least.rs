//! The least that makes a record durable: receive, write past the page cache, sync, answer. No
//! protocol, no log; one connection, one thread.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use protocol::frame;
use rustix::fs::OFlags;

use super::{BARE_BYTES, PAGE_BYTES, filled};
use crate::Outcome;

/// About as long as an acknowledgement. Its zeros are an answer without partitions: no error.
const ANSWER_BYTES: usize = 64;

/// Serves one connection on a port of its own choice, which is the one line it prints.
pub fn serve(dir: &Path) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("{}", address.port());
    run(&listener, dir).map_err(|error| format!("the least: {error}"))
}

fn run(listener: &TcpListener, dir: &Path) -> io::Result<()> {
    let file = past_cache(dir)?;
    let (mut socket, _) = listener.accept()?;
    socket.set_nodelay(true)?;
    let mut answer = [0; ANSWER_BYTES];
    let length = (ANSWER_BYTES - frame::PREFIX_BYTES) as u32;
    answer[..frame::PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    // A page of it lies on a page of memory.
    let mut memory = vec![0; 2 * PAGE_BYTES];
    let skipped = memory.as_ptr().align_offset(PAGE_BYTES);
    let page = &mut memory[skipped..skipped + PAGE_BYTES];
    let mut at = 0;
    while socket.read(page)? > 0 {
        file.write_all_at(page, at)?;
        file.sync_data()?;
        at = (at + PAGE_BYTES as u64) % BARE_BYTES;
        socket.write_all(&answer)?;
    }
    Ok(())
}

fn past_cache(dir: &Path) -> io::Result<File> {
    let path = dir.join("least");
    filled(&path)?;
    let flags = OFlags::DIRECT.bits() as i32;
    OpenOptions::new().write(true).custom_flags(flags).open(path)
}

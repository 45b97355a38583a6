/// How much of the world a crate may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Values and machines: no I/O, no clock, no chance, no threads, no async.
    White,
    /// Reaches the world only through the ports of `env`.
    Grey,
    /// The world itself.
    Black,
}

/// A crate and what it may lean on.
#[derive(Debug)]
pub struct Room {
    pub name: &'static str,
    pub colour: Colour,
    pub uses: &'static [&'static str],
}

use Colour::{Black, Grey, White};

/// The one list. An arrow that is not here does not exist; adding one needs an ADR.
///
/// Absent on purpose: `storage` → `protocol` (a log keeps batches, not requests); `protocol` →
/// `records` (record bytes are opaque on the wire); `replication` → `storage`; anything but the
/// binaries and the server → `env-os`; `client` → `broker` and back.
pub const ROOMS: &[Room] = &[
    room("types", White, &[]),
    room("metrics", White, &[]),
    room("history", White, &[]),
    room("records", White, &["types"]),
    room("protocol", White, &["types"]),
    room("config", White, &["types"]),
    room("env", White, &["types"]),
    room("replication", White, &["types"]),
    room("metadata", White, &["types", "protocol"]),
    room("coordinator", White, &["types", "protocol", "metadata"]),
    room("controller", White, &["types", "protocol", "metadata", "config"]),
    room("group-coordinator", White, &["types", "protocol", "metadata", "coordinator"]),
    room("storage", Grey, &["types", "metrics", "records", "env"]),
    room("consensus", Grey, &["types", "env"]),
    room(
        "broker",
        Grey,
        &[
            "types",
            "metrics",
            "records",
            "protocol",
            "config",
            "env",
            "replication",
            "storage",
            "consensus",
            "metadata",
            "coordinator",
            "controller",
            "group-coordinator",
        ],
    ),
    room("env-os", Black, &["types", "env"]),
    room("client", Black, &["types", "protocol", "records"]),
    room("load", Black, &["types", "protocol", "records", "client"]),
    room("server", Black, &["types", "config", "env", "env-os", "broker"]),
    room(
        "ottla",
        Black,
        &[
            "types", "records", "protocol", "metadata", "config", "env", "env-os", "storage",
            "client", "load", "server",
        ],
    ),
    room("env-sim", Black, &["types", "env"]),
    room(
        "sim",
        Black,
        &[
            "types", "history", "records", "protocol", "config", "env", "env-sim", "storage",
            "broker",
        ],
    ),
    room("replica-sim", Black, &["types", "history", "replication", "storage"]),
    room(
        "models",
        Black,
        &[
            "types",
            "protocol",
            "config",
            "replication",
            "metadata",
            "controller",
            "storage",
            "consensus",
        ],
    ),
    room("judge", Black, &["history"]),
    room("fuzz-rounds", Black, &[]),
    room("bench", Black, &["types", "records", "protocol", "client", "load"]),
    room("xtask", Black, &[]),
];

const fn room(name: &'static str, colour: Colour, uses: &'static [&'static str]) -> Room {
    Room { name, colour, uses }
}

pub fn find(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

pub fn colour_of(crate_name: Option<&str>) -> Colour {
    crate_name.and_then(find).map_or(Black, |room| room.colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_white_room_leans_only_on_white_rooms() {
        for room in ROOMS.iter().filter(|room| room.colour == White) {
            for used in room.uses {
                let used =
                    find(used).unwrap_or_else(|| panic!("{} uses unlisted {used}", room.name));
                assert_eq!(used.colour, White, "{} uses {}", room.name, used.name);
            }
        }
    }

    #[test]
    fn arrows_point_down_the_list_so_there_are_no_cycles() {
        for (at, room) in ROOMS.iter().enumerate() {
            for used in room.uses {
                let below = ROOMS.iter().position(|other| other.name == *used);
                assert!(below.is_some_and(|below| below < at), "{} uses {used}", room.name);
            }
        }
    }
}

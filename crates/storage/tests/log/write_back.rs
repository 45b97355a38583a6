//! Bytes that the kernel could not write: it says so once, and calls their pages clean.

use crate::committing::World;
use env_sim::{Crash, SimDisk};

/// The process ends with its directory out of use, and the next one finds the page cache as it was.
#[test]
fn what_the_last_process_could_not_write_back_is_written_by_the_next() {
    for is_committed in [true, false] {
        let disk = SimDisk::new(1);
        let mut world = World::start(&disk);
        world.create(0, 1);
        world.append(0, b"x");
        world.ask(0);
        world.run_all();
        world.append(0, b"y");
        if is_committed {
            world.ask(0);
            World::run(&world.commits);
            assert_eq!(world.promised(0), 2);
        }
        disk.fail_next_sync(".log");
        world.commit.checkpoint().unwrap();
        world.run_all();
        assert!(world.dir.is_offline());
        disk.crash(Crash::Kill);
        let world = World::start(&disk);
        assert_eq!(world.values(0), [b"x", b"y"]);
        // From here on the start vouches for what it has found.
        disk.crash(Crash::PowerLoss);
        let world = World::start(&disk);
        assert_eq!(world.values(0), [b"x", b"y"], "committed: {is_committed}");
    }
}

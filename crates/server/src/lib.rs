//! The black shell: sockets, threads and timers around the broker.

//! Group coordinator: classic groups and committed offsets.

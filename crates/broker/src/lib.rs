//! The broker: requests in, responses out.

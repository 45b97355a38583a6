//! The client against a broker that answers what a test tells it to.

mod broker;
mod connections;
mod producing;
mod routing;

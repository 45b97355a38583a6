use metrics::Counter;
use protocol::ApiKey;

use crate::api::SERVED;

metrics::group! {
    /// The requests of one API.
    pub struct RequestMetrics["request"] {
        /// Requests received.
        pub requests: Counter() = "kafka_network_requestmetrics_requests_total",
    }
}

/// A count for each API that is served.
#[derive(Debug)]
pub struct RequestCounts {
    /// By key: the largest served one sets the length.
    by_key: Vec<RequestMetrics>,
}

impl Default for RequestCounts {
    fn default() -> RequestCounts {
        let largest = SERVED.iter().map(|api| api.key.as_i16()).max().unwrap_or(0);
        RequestCounts { by_key: (0..=largest).map(|_| RequestMetrics::default()).collect() }
    }
}

impl RequestCounts {
    pub fn count(&self, key: ApiKey) {
        if let Some(of_key) = self.by_key.get(key.as_i16() as usize) {
            of_key.requests.increment();
        }
    }

    /// Name and counts of each API.
    pub fn all(&self) -> impl Iterator<Item = (String, &RequestMetrics)> {
        let counts = |api: &crate::api::ServedApi| self.by_key.get(api.key.as_i16() as usize);
        SERVED.iter().filter_map(move |api| Some((format!("{:?}", api.key), counts(api)?)))
    }
}

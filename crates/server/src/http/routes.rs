use std::net::IpAddr;

use broker::health::{Health, Problem, health};
use bytes::Bytes;
use env::Env;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

use super::Watched;

type Answer = Response<Full<Bytes>>;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const INDEX: &str = "\
/metrics  everything that is counted, for Prometheus\n\
/livez    200 while the process runs\n\
/readyz   200 while the node serves clients\n\
/healthz  what is wrong, as JSON; 200 if nothing is\n";

/// Answers one request. Only looks; nothing can be changed here.
pub(crate) fn answer<E: Env, B>(
    watched: &Watched<E>,
    is_local: bool,
    request: &Request<B>,
) -> Answer {
    if is_local && !names_this_machine(request) {
        let why = "this port is for this machine: ask for localhost, or bind http.listeners to an \
                   address that others may use\n";
        return page(StatusCode::FORBIDDEN, TEXT, why.to_owned());
    }
    let found = match request.uri().path() {
        "/" => page(StatusCode::OK, TEXT, INDEX.to_owned()),
        "/livez" => page(StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/readyz" => ready(watched),
        "/healthz" => healthy(watched),
        "/metrics" => metrics(watched),
        _ => return page(StatusCode::NOT_FOUND, TEXT, INDEX.to_owned()),
    };
    match *request.method() {
        Method::GET | Method::HEAD => found,
        _ => {
            let why = "only GET and HEAD\n".to_owned();
            let mut refused = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, why);
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            refused
        }
    }
}

/// A page of some other site in a browser here can make a name of its own point to this machine and
/// read what it finds (DNS rebinding). Then `Host` is that name.
fn names_this_machine<B>(request: &Request<B>) -> bool {
    let Some(host) = request.headers().get(HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((bracketed, _)) => bracketed,
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_loopback = |ip: IpAddr| ip.is_loopback();
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback)
}

fn ready<E: Env>(watched: &Watched<E>) -> Answer {
    let (status, text) = match watched.node() {
        None => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Some(_) if watched.is_stopping() => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        Some(_) => (StatusCode::OK, "ready\n"),
    };
    page(status, TEXT, text.to_owned())
}

fn healthy<E: Env>(watched: &Watched<E>) -> Answer {
    let Some(node) = watched.node() else {
        let body = json!({"status": "starting", "problems": []});
        return page(StatusCode::SERVICE_UNAVAILABLE, JSON, format!("{body:#}\n"));
    };
    let Health { problems } = health(node);
    let (status, word) = match problems.is_empty() {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "degraded"),
    };
    let problem = |problem: &Problem| {
        let Problem { code, object, what, todo } = problem;
        json!({"code": code, "object": object, "what": what, "todo": todo})
    };
    let problems: Vec<_> = problems.iter().map(problem).collect();
    let body = json!({
        "status": word,
        "node": node.broker_id().0,
        "cluster": node.cluster_id().to_string(),
        "problems": problems,
    });
    page(status, JSON, format!("{body:#}\n"))
}

fn metrics<E: Env>(watched: &Watched<E>) -> Answer {
    match watched.node() {
        None => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "starting\n".to_owned()),
        Some(node) => {
            let text = broker::metrics::render(node);
            page(StatusCode::OK, broker::metrics::CONTENT_TYPE, text)
        }
    }
}

fn page(status: StatusCode, kind: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

//! More than the server can do, clients that go, models that are not there yet, and the end.

use std::io::{BufReader, Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use codegaze::http::ServeError;
use serde_json::json;

use crate::http_server::{Reply, Server};
use crate::{CODE, functions};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Half a minute's work and more.
fn endless() -> Vec<u8> {
    json!({ "code": functions(3_000) }).to_string().into_bytes()
}

/// Sends a request, and does not wait for its answer.
fn ask(server: &Server, path: &str, body: &[u8]) -> std::net::TcpStream {
    let mut stream = server.connect();
    let head = server.head("POST", path, &[JSON], body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream
}

#[test]
fn one_too_many_is_told_to_come_later() {
    let server = Server::ready(|options| options.limits.queue = 2);
    let under_way = [
        ask(&server, "/analyze", &endless()),
        ask(&server, "/analyze", &endless()),
    ];
    server.await_metric("codegaze_queue_depth", |depth| depth == 2.0);
    for _ in 0..3 {
        let reply = server.post("/analyze", &json!({ "code": CODE }));
        reply.error(429, "busy");
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
    // Who sends slowly is told, too, and keeps the connection.
    let body = json!({ "code": CODE }).to_string();
    let head = server.head(
        "POST",
        "/analyze",
        &[JSON, ("connection", "keep-alive")],
        body.len(),
    );
    let mut stream = BufReader::new(server.connect());
    stream.get_mut().write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    stream.get_mut().write_all(body.as_bytes()).unwrap();
    Reply::read(&mut stream).unwrap().error(429, "busy");
    let head = server.head("GET", "/health", &[], 0);
    stream.get_mut().write_all(head.as_bytes()).unwrap();
    assert_eq!(Reply::read(&mut stream).unwrap().status, 200);
    // What needs no work is answered.
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(server.get("/models").status, 200);
    drop(under_way);
    server.await_metric("codegaze_queue_depth", |depth| depth == 0.0);
    server.post("/analyze", &json!({ "code": CODE })).ok();
    let refused = "codegaze_http_requests_total{path=\"/analyze\",status=\"429\"}";
    assert_eq!(server.metric(refused), 4.0);
}

#[test]
fn a_client_that_hangs_up_cancels_its_job() {
    let server = Server::ready(|options| {
        // An endless text has more weights than a response may usually have.
        options.limits.answer_cells = 1 << 40;
        options.limits.cells = 1 << 40;
    });
    for path in ["/analyze", "/analyze-attention", "/get-attention"] {
        let passes = server.metric("codegaze_engine_passes_total");
        let stream = ask(&server, path, &endless());
        server.await_metric("codegaze_queue_depth", |depth| depth == 1.0);
        server.await_metric("codegaze_engine_passes_total", |now| now > passes);
        drop(stream);
        server.await_metric("codegaze_queue_depth", |depth| depth == 0.0);
        server.await_metric("codegaze_engine_queue_depth", |depth| depth == 0.0);
    }
    assert!(server.metric("codegaze_engine_cancelled_total") > 0.0);
    let given_up = "codegaze_http_requests_total{path=\"/analyze\",status=\"499\"}";
    assert_eq!(server.metric(given_up), 1.0);
}

#[test]
fn an_answer_that_takes_too_long_is_given_up() {
    let server = Server::ready(|options| options.limits.timeout = Duration::from_millis(300));
    let reply = server.send("POST", "/analyze", &[JSON], &endless());
    reply.error(504, "deadline");
    server.await_metric("codegaze_queue_depth", |depth| depth == 0.0);
    server.await_metric("codegaze_engine_queue_depth", |depth| depth == 0.0);
    // The model does not read the rest of the text.
    let passes = server.metric("codegaze_engine_passes_total");
    assert!(passes < 500.0, "{passes} passes for at least 500 chunks");
}

#[test]
fn who_dawdles_is_let_go() {
    let server = Server::ready(|options| {
        // Long enough for the requests of this test on a busy machine.
        options.limits.stall = Duration::from_secs(2);
        options.limits.pace.lag = Duration::from_secs(2);
    });
    // In the head.
    let mut stream = server.connect();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: loc")
        .unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    // In the body.
    let mut stream = server.connect();
    let head = server.head("POST", "/analyze", &[JSON], 100);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"{\"code\":").unwrap();
    let reply = Reply::read(&mut BufReader::new(stream)).unwrap();
    reply.error(408, "body_timeout");
    // With the answer, which is larger than what is buffered on the way.
    let body = json!({ "code": functions(2), "layers": "all", "heads": "all" }).to_string();
    let stream = ask(&server, "/get-attention", body.as_bytes());
    let made = "codegaze_http_requests_total{path=\"/get-attention\",status=\"200\"}";
    server.await_metric(made, |count| count == 1.0);
    assert_eq!(
        server.metric("codegaze_queue_depth"),
        1.0,
        "it is still being sent"
    );
    server.await_metric("codegaze_queue_depth", |depth| depth == 0.0);
    drop(stream);
}

/// A hub that takes a connection and says nothing.
struct SilentHub(TcpListener);

impl SilentHub {
    fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}

#[cfg(feature = "hub")]
#[test]
fn while_a_model_loads_the_others_serve() {
    let hub = SilentHub::start();
    let cache = tempfile::tempdir().unwrap();
    let mut server = Server::start(|options| {
        options.models = ["embedded", "acme/late"]
            .map(|model| model.parse().unwrap())
            .into();
        options.hub.offline = false;
        options.hub.proxy_from_env = false;
        options.hub.endpoint = hub.endpoint();
        options.hub.cache = cache.path().to_owned();
        options.hub.stall_timeout = Duration::from_secs(120);
        options.hub.retries = 0;
    });
    let start = Instant::now();
    while server.get("/models").ok()["models"][0]["state"] != "ready" {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
    let reply = server.get("/ready");
    assert!(reply.error(503, "model_loading").contains("acme/late"));
    assert_eq!(reply.header("retry-after"), Some("1"));
    let late = json!({ "code": CODE, "model": "acme/late" });
    let reply = server.post("/analyze", &late);
    reply.error(503, "model_loading");
    assert_eq!(reply.header("retry-after"), Some("1"));
    server.post("/analyze", &json!({ "code": CODE })).ok();
    let models = server.get("/models").ok();
    assert_eq!(models["models"][1]["state"], "loading");
    assert_eq!(models["models"][1]["layers"], serde_json::Value::Null);
    // A model that cannot be loaded ends the server.
    drop(hub);
    let ended = server.join();
    assert!(matches!(ended, Err(ServeError::Load(_))), "{ended:?}");
}

#[test]
fn a_model_that_does_not_load_ends_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let name = directory.path().to_str().unwrap().to_owned();
    let mut server = Server::start(|options| options.models = vec![name.parse().unwrap()]);
    let error = server.join().unwrap_err().to_string();
    assert!(error.contains(&name), "{error}");
}

#[test]
fn what_is_under_way_comes_to_its_end() {
    let mut server = Server::ready(|_| ());
    let body = json!({ "code": functions(40) }).to_string();
    let stream = ask(&server, "/analyze", body.as_bytes());
    server.await_metric("codegaze_queue_depth", |depth| depth == 1.0);
    // A connection that nothing is asked over does not hold it up.
    let idle = server.connect();
    server.stop();
    Reply::read(&mut BufReader::new(stream)).unwrap().ok();
    server.join().unwrap();
    drop(idle);
    assert!(std::net::TcpStream::connect(server.address).is_err());
}

#[test]
fn a_connection_is_good_for_many_requests() {
    let server = Server::ready(|_| ());
    let mut stream = BufReader::new(server.connect());
    for at in 0..20 {
        let body = json!({ "code": format!("x = {at}") }).to_string();
        let headers = [JSON, ("connection", "keep-alive")];
        let head = server.head("POST", "/analyze", &headers, body.len());
        stream
            .get_mut()
            .write_all((head + &body).as_bytes())
            .unwrap();
        Reply::read(&mut stream).unwrap().ok();
    }
}

#[test]
fn many_at_once_get_what_is_theirs() {
    let server = Server::ready(|_| ());
    std::thread::scope(|scope| {
        for client in 0..12 {
            let server = &server;
            scope.spawn(move || {
                for round in 0..4 {
                    let code = format!("value_{client}_{round} = function_{client}({round})\n");
                    let request = json!({ "code": code, "visualize": false });
                    let found = server.post("/analyze-attention", &request).ok();
                    let tokens = found["tokens"].as_array().unwrap();
                    let text: String = tokens[1..tokens.len() - 1]
                        .iter()
                        .map(|t| t.as_str().unwrap())
                        .collect();
                    assert_eq!(text, code);
                }
            });
        }
    });
    assert_eq!(server.metric("codegaze_queue_depth"), 0.0);
}

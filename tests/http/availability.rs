//! Slow clients, clients that take more than their share, and clients that only end their sending side.

use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use codegaze::http::Pace;
use serde_json::json;

use crate::http_server::{Reply, Server};
use crate::{CODE, functions};

const JSON: (&str, &str) = ("content-type", "application/json");

const PACE: Pace = Pace {
    rate: 1000,
    lag: Duration::from_millis(300),
};

/// A connection over which `text` was sent.
fn sent(server: &Server, text: &str) -> TcpStream {
    let mut stream = server.connect();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// How long it takes until the server closes the connection without a response.
fn closed_after(mut stream: TcpStream) -> Duration {
    let start = Instant::now();
    let mut rest = Vec::new();
    // It may be reset.
    let _ = stream.read_to_end(&mut rest);
    assert_eq!(String::from_utf8(rest).unwrap(), "");
    start.elapsed()
}

#[test]
fn bodies_that_trickle_take_no_place_from_others() {
    let server = Server::ready(|options| options.limits.queue = 2);
    let head = server.head("POST", "/analyze", &[JSON], 1000);
    let slow: Vec<TcpStream> = (0..40)
        .map(|_| sent(&server, &(head.clone() + "{\"code\"")))
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..5 {
        server.post("/analyze", &json!({ "code": CODE })).ok();
    }
    drop(slow);
}

#[test]
fn a_body_may_take_long_but_not_fall_behind_the_rate() {
    let server = Server::ready(|options| options.limits.pace = PACE);
    let body = json!({ "code": "x = 1\n".repeat(200) }).to_string();
    let head = server.head("POST", "/analyze", &[JSON], body.len());

    // Three times as long as a silent client gets, at twice the rate.
    let mut stream = sent(&server, &head);
    let start = Instant::now();
    for part in body.as_bytes().chunks(100) {
        std::thread::sleep(Duration::from_millis(50));
        stream.write_all(part).unwrap();
    }
    assert!(start.elapsed() > PACE.lag);
    Reply::read(&mut BufReader::new(stream)).unwrap().ok();

    let mut stream = sent(&server, &head);
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let start = Instant::now();
    let feeder = std::thread::spawn(move || {
        for byte in body.as_bytes() {
            std::thread::sleep(Duration::from_millis(20));
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
        }
    });
    let reply = Reply::read(&mut reader).unwrap();
    let message = reply.error(408, "body_timeout");
    assert!(message.contains("1000 bytes per second"), "{message}");
    assert!(start.elapsed() < Duration::from_secs(2));
    drop(reader);
    feeder.join().unwrap();
}

#[test]
fn a_head_has_to_arrive_within_seconds_and_an_idle_connection_may_wait_longer() {
    let server = Server::ready(|options| {
        options.limits.pace = PACE;
        options.limits.stall = Duration::from_secs(2);
    });
    for text in ["", "GET /health HTTP/1.1\r\nhost: loc"] {
        let taken = closed_after(sent(&server, text));
        assert!(
            taken >= PACE.lag && taken < Duration::from_secs(2),
            "{taken:?}"
        );
    }
    let mut stream = BufReader::new(server.connect());
    let head = server.head("GET", "/health", &[("connection", "keep-alive")], 0);
    for _ in 0..2 {
        stream.get_mut().write_all(head.as_bytes()).unwrap();
        assert_eq!(Reply::read(&mut stream).unwrap().status, 200);
        std::thread::sleep(Duration::from_secs(1));
    }
    let taken = closed_after(stream.into_inner());
    assert!(taken < Duration::from_secs(3), "{taken:?}");
}

#[test]
fn the_slowest_connection_makes_room_and_one_that_is_worked_for_does_not() {
    let server = Server::ready(|options| options.limits.connections = 8);
    let body = json!({ "code": functions(3_000) }).to_string();
    let head = server.head("POST", "/analyze", &[JSON], body.len());
    let working = sent(&server, &(head + &body));
    server.await_metric("codegaze_queue_depth", |depth| depth == 1.0);
    let silent: Vec<TcpStream> = (0..40).map(|_| server.connect()).collect();
    let start = Instant::now();
    for _ in 0..5 {
        server
            .post("/explain", &json!({ "tokens": ["a"], "attention": [[1]] }))
            .ok();
    }
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(server.metric("codegaze_queue_depth"), 1.0);
    drop((silent, working));
    server.await_metric("codegaze_queue_depth", |depth| depth == 0.0);
}

/// If the system discards a connection because too many wait to be accepted, the client tries again only after a second.
#[cfg(target_os = "linux")]
#[test]
fn hundreds_of_connections_can_wait_to_be_accepted() {
    let server = Server::ready(|options| options.limits.connections = 1);
    let body = json!({ "code": functions(3_000) }).to_string();
    let head = server.head("POST", "/analyze", &[JSON], body.len());
    // Takes the only place, and the server works on it.
    let working = sent(&server, &(head + &body));
    let patience = Duration::from_secs(20);
    let waiting: Vec<TcpStream> = (0..600)
        .map(|_| TcpStream::connect_timeout(&server.address, patience).unwrap())
        .collect();
    drop((working, waiting));
    server.await_metric("codegaze_queue_depth", |depth| depth == 0.0);
}

#[test]
fn bodies_that_are_being_received_have_a_limit_of_memory() {
    let server = Server::ready(|options| {
        options.limits.body_bytes = 40_000;
        options.limits.received_bytes = 80_000;
    });
    let body = json!({ "code": "x = 1\n".repeat(6_000) }).to_string();
    assert!(body.len() < 50_000);
    let code = &body[..39_000];
    let head = server.head("POST", "/analyze", &[JSON], 40_000);
    let first = sent(&server, &(head.clone() + code));
    let second = sent(&server, &(head.clone() + code));
    std::thread::sleep(Duration::from_millis(300));
    let third = sent(&server, &(head + code));
    let reply = Reply::read(&mut BufReader::new(third)).unwrap();
    reply.error(429, "busy");
    assert_eq!(reply.header("retry-after"), Some("1"));
    drop((first, second));
    // The server notices the closed connections soon.
    let end = Instant::now() + Duration::from_secs(10);
    while server.post("/analyze", &json!({ "code": CODE })).status != 200 {
        assert!(Instant::now() < end, "the memory is not freed");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_body_that_ends_early_is_told_so() {
    let server = Server::ready(|_| ());
    let head = server.head("POST", "/analyze", &[JSON], 1000);
    let stream = sent(&server, &(head + "{\"code\""));
    stream.shutdown(Shutdown::Write).unwrap();
    let reply = Reply::read(&mut BufReader::new(stream)).unwrap();
    let message = reply.error(400, "malformed");
    assert!(message.contains("ended early"), "{message}");
}

#[test]
fn a_client_that_ends_its_sending_side_receives_its_response() {
    let server = Server::ready(|_| ());
    let body = json!({ "code": functions(25) }).to_string();
    let analyze = server.head("POST", "/analyze", &[JSON], body.len()) + &body;
    let health = server.head("GET", "/health", &[("connection", "keep-alive")], 0);
    let old = "GET /openapi.json HTTP/1.0\r\nhost: localhost\r\n\r\n".to_owned();
    for request in [analyze, health, old] {
        let stream = sent(&server, &request);
        stream.shutdown(Shutdown::Write).unwrap();
        let mut reader = BufReader::new(stream);
        Reply::read(&mut reader).unwrap().ok();
        // And the connection ends.
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"");
    }
}

#[test]
fn a_head_that_cannot_be_read_is_answered_with_a_body() {
    let server = Server::ready(|_| ());
    let many = "x: y\r\n".repeat(70);
    let long = format!("x: {}\r\n", "y".repeat(200 << 10));
    let barely = format!("x: {}\r\n", "y".repeat(33 << 10));
    for (head, status, error_type, word) in [
        (
            format!("GET /health HTTP/1.1\r\nhost: localhost\r\n{many}\r\n"),
            431,
            "headers_too_large",
            "64",
        ),
        (
            format!("GET /health HTTP/1.1\r\nhost: localhost\r\n{long}\r\n"),
            431,
            "headers_too_large",
            "32 KiB",
        ),
        (
            format!("GET /health HTTP/1.1\r\nhost: localhost\r\n{barely}\r\n"),
            431,
            "headers_too_large",
            "32 KiB",
        ),
        ("HELO\r\n\r\n".to_owned(), 400, "malformed", "HTTP/1.1"),
        (
            "GET /health HTTP/1.1\r\nhost : localhost\r\n\r\n".to_owned(),
            400,
            "malformed",
            "HTTP/1.1",
        ),
    ] {
        for before in ["", "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"] {
            let mut stream = BufReader::new(server.connect());
            if !before.is_empty() {
                stream.get_mut().write_all(before.as_bytes()).unwrap();
                assert_eq!(Reply::read(&mut stream).unwrap().status, 200);
            }
            // The server may answer before it has read all.
            let _ = stream.get_mut().write_all(head.as_bytes());
            let reply = Reply::read(&mut stream).unwrap();
            assert_eq!(reply.status, status, "{}", &head[..40.min(head.len())]);
            let message = reply.error(status, error_type);
            assert!(message.contains(word), "{message}");
            assert_eq!(reply.header("connection"), Some("close"));
        }
    }
}

/// Refused requests: their first lines, and what the response is.
fn refused(server: &Server) -> [(&'static str, Vec<(&'static str, String)>, u16); 5] {
    let json = || ("content-type", "application/json".to_owned());
    let token = || ("authorization", format!("Bearer {TOKEN}"));
    let own = server.address.to_string();
    [
        ("/analyze", vec![json()], 401),
        (
            "/analyze",
            vec![json(), token(), ("host", "evil.example".to_owned())],
            403,
        ),
        (
            "/analyze",
            vec![token(), ("content-type", "text/plain".to_owned())],
            415,
        ),
        ("/health", vec![json(), token(), ("host", own)], 405),
        ("/nothing", vec![json(), token()], 404),
    ]
}

const TOKEN: &str = "0123456789abcdef-secret";

#[test]
fn a_refused_client_that_sends_slowly_keeps_its_connection() {
    let server = Server::ready(|options| options.token = Some(TOKEN.to_owned()));
    let body = json!({ "code": CODE }).to_string();
    for (path, headers, status) in refused(&server) {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<_> = headers.chain([("connection", "keep-alive")]).collect();
        let head = server.head("POST", path, &headers, body.len());
        let mut stream = BufReader::new(sent(&server, &head));
        for part in body.as_bytes().chunks(20) {
            std::thread::sleep(Duration::from_millis(20));
            stream.get_mut().write_all(part).unwrap();
        }
        assert_eq!(Reply::read(&mut stream).unwrap().status, status);
        let head = server.head("GET", "/health", &[], 0);
        stream.get_mut().write_all(head.as_bytes()).unwrap();
        assert_eq!(Reply::read(&mut stream).unwrap().status, 200, "{path}");
    }
}

#[test]
fn a_client_that_sends_too_much_slowly_receives_the_refusal() {
    let server = Server::ready(|options| options.limits.body_bytes = 60_000);
    let body = vec![b' '; 100_000];
    let known = server.head("POST", "/analyze", &[JSON], body.len());
    let chunked = [JSON, ("transfer-encoding", "chunked")];
    let unknown = server.head("POST", "/analyze", &chunked, 0) + "186a0\r\n";
    for head in [known, unknown] {
        let mut stream = sent(&server, &head);
        // For longer than the server reads on after a response that it has sent.
        for part in body.chunks(5_000) {
            std::thread::sleep(Duration::from_millis(150));
            stream.write_all(part).unwrap();
        }
        // The end of the chunks.
        stream.write_all(b"\r\n0\r\n\r\n").unwrap();
        let reply = Reply::read(&mut BufReader::new(stream)).unwrap();
        reply.error(413, "too_large");
    }
}

#[test]
fn a_refusal_does_not_wait_for_a_body_that_is_too_large_or_waits_itself() {
    let server = Server::ready(|options| options.token = Some(TOKEN.to_owned()));
    let waiting = [JSON, ("expect", "100-continue")];
    for head in [
        server.head("POST", "/analyze", &[JSON], 1 << 30),
        server.head("POST", "/analyze", &waiting, 1000),
    ] {
        let reply = Reply::read(&mut BufReader::new(sent(&server, &head))).unwrap();
        reply.error(401, "unauthorized");
    }
}

#[test]
fn a_refused_client_that_falls_behind_the_rate_is_told_so_soon() {
    let server = Server::ready(|options| {
        options.limits.pace = PACE;
        options.token = Some(TOKEN.to_owned());
    });
    let head = server.head("POST", "/analyze", &[JSON], 1000);
    let stream = sent(&server, &head);
    Reply::read(&mut BufReader::new(stream))
        .unwrap()
        .error(401, "unauthorized");
}

//! Who may ask.

use std::io::{BufReader, Write};

use codegaze::http::{Bound, ServerOptions};
use serde_json::json;

use crate::http_server::Reply;
use crate::{CODE, SERVER, Server};

const TOKEN: &str = "0123456789abcdef-secret";

#[test]
fn another_name_for_this_machine_is_refused() {
    let port = SERVER.address.port();
    let path = "/health";
    for host in [
        "localhost",
        "127.0.0.1",
        "[::1]",
        &format!("localhost:{port}"),
        "127.0.0.1:9",
    ] {
        assert_eq!(
            SERVER.send("GET", path, &[("host", host)], b"").status,
            200,
            "{host}"
        );
    }
    for host in [
        "evil.example",
        &format!("evil.example:{port}"),
        "10.0.0.1",
        "localhost.evil.example",
    ] {
        for path in ["/health", "/docs", "/analyze", "/nothing", "/ws"] {
            let message = SERVER
                .send("GET", path, &[("host", host)], b"")
                .error(403, "forbidden_host");
            assert!(message.contains("--allow-host"), "{message}");
        }
    }
    // Without a name, and with two.
    for hosts in ["", "host: localhost\r\nhost: evil.example\r\n"] {
        let mut stream = SERVER.connect();
        write!(
            stream,
            "GET /health HTTP/1.1\r\n{hosts}connection: close\r\n\r\n"
        )
        .unwrap();
        Reply::read(&mut BufReader::new(stream))
            .unwrap()
            .error(400, "malformed");
    }
    let mut stream = SERVER.connect();
    let head =
        "GET http://evil.example/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    Reply::read(&mut BufReader::new(stream))
        .unwrap()
        .error(403, "forbidden_host");

    let server = Server::start(|options| options.allowed_hosts = vec!["box.example".to_owned()]);
    assert_eq!(
        server
            .send("GET", path, &[("host", "box.example:80")], b"")
            .status,
        200
    );
}

#[test]
fn pages_of_others_are_refused_unless_listed() {
    let body = json!({ "code": CODE }).to_string();
    let json = ("content-type", "application/json");
    let own = format!("http://{}", SERVER.address);
    let post = |server: &Server, origin: &str| {
        let headers = [json, ("origin", origin)];
        server.send("POST", "/analyze", &headers, body.as_bytes())
    };
    assert_eq!(post(&SERVER, &own).status, 200);
    for origin in [
        "null",
        "https://evil.example",
        "http://127.0.0.1:1",
        &format!("{own}.evil.example"),
    ] {
        let reply = post(&SERVER, origin);
        reply.error(403, "forbidden_origin");
        assert_eq!(reply.header("access-control-allow-origin"), None);
        let preflight = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ];
        SERVER
            .send("OPTIONS", "/analyze", &preflight, b"")
            .error(403, "forbidden_origin");
    }

    let page = "https://docs.example";
    let server = Server::ready(|options| {
        options.allowed_origins = vec![page.to_owned()];
        options.token = Some(TOKEN.to_owned());
    });
    let preflight = [
        ("origin", page),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization,content-type",
        ),
    ];
    let reply = server.send("OPTIONS", "/analyze", &preflight, b"");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), Some(page));
    assert!(
        reply
            .header("access-control-allow-headers")
            .unwrap()
            .contains("authorization")
    );
    // The page may read why it was refused.
    let reply = post(&server, page);
    reply.error(401, "unauthorized");
    assert_eq!(reply.header("access-control-allow-origin"), Some(page));
    let bearer = format!("Bearer {TOKEN}");
    let headers = [json, ("origin", page), ("authorization", &*bearer)];
    let reply = server.send("POST", "/analyze", &headers, body.as_bytes());
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), Some(page));
    assert!(
        reply
            .header("access-control-expose-headers")
            .unwrap()
            .contains("server-timing")
    );
}

#[test]
fn without_the_token_only_public_pages() {
    let server = Server::ready(|options| options.token = Some(TOKEN.to_owned()));
    for path in [
        "/health",
        "/ready",
        "/docs",
        "/openapi.json",
        "/",
        "/codegaze.js",
    ] {
        assert!(server.get(path).status < 400, "{path}");
    }
    for (method, path) in [
        ("GET", "/models"),
        ("GET", "/metrics"),
        ("GET", "/ws"),
        ("POST", "/analyze"),
        ("GET", "/nothing"),
        ("POST", "/explain"),
    ] {
        let reply = server.send(method, path, &[], b"");
        reply.error(401, "unauthorized");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        for wrong in [
            "Bearer wrong",
            "Basic 0123456789abcdef-secret",
            "Bearer",
            TOKEN,
        ] {
            let headers = [("authorization", wrong)];
            server
                .send(method, path, &headers, b"")
                .error(401, "unauthorized");
        }
    }
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(server.send("GET", "/models", &headers, b"").status, 200);
}

#[test]
fn other_machines_only_on_purpose() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bind = |change: fn(&mut ServerOptions)| {
        let mut options = ServerOptions {
            host: "0.0.0.0".to_owned(),
            port: 0,
            ..ServerOptions::default()
        };
        change(&mut options);
        runtime
            .block_on(Bound::new(options))
            .map(|bound| bound.address())
    };
    let refused = bind(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("--allow-remote"), "{refused}");
    let refused = bind(|options| options.allow_remote = true)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("CODEGAZE_TOKEN"), "{refused}");
    let weak = |options: &mut ServerOptions| {
        options.allow_remote = true;
        options.token = Some("1234".to_owned());
    };
    assert!(bind(weak).is_err());
    let right = |options: &mut ServerOptions| {
        options.allow_remote = true;
        options.token = Some(TOKEN.to_owned());
    };
    assert!(bind(right).unwrap().ip().is_unspecified());
}

#[test]
fn answers_are_not_guessed_at_or_kept() {
    for path in ["/health", "/nothing", "/docs"] {
        let reply = SERVER.get(path);
        assert_eq!(
            reply.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert!(
            reply.header("cache-control").unwrap().starts_with("no-"),
            "{path}"
        );
        assert_eq!(
            reply.header("cross-origin-resource-policy"),
            Some("same-origin"),
            "{path}"
        );
    }
}

//! How `codegaze serve` starts and ends. `tests/http.rs` tests its responses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Case, codegaze, expect_error, fixture};

const TIMEOUT: Duration = Duration::from_secs(60);

/// The program, serving on a free port.
struct Serving {
    child: Child,
    stderr: BufReader<ChildStderr>,
    address: String,
}

impl Serving {
    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = codegaze()
            .args(["serve", "--port", "0"])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self {
            child,
            stderr,
            address,
        }
    }

    /// Status and body.
    fn get(&self, path: &str, headers: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let address = &self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// The body of the first successful response. Before it, the models are loading.
    fn until_ok(&self, path: &str, headers: &str) -> String {
        let start = Instant::now();
        loop {
            let (status, body) = self.get(path, headers);
            if status == 200 {
                return body;
            }
            assert!(start.elapsed() < TIMEOUT, "{path} stays {status}: {body}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The exit code, and everything that the program printed after the address.
    fn end(mut self, signal: &str) -> (Option<i32>, String, String) {
        let id = self.child.id().to_string();
        let killed = std::process::Command::new("kill")
            .args([signal, &id])
            .status()
            .unwrap();
        assert!(killed.success());
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let mut pipe = self.child.stdout.take().unwrap();
        pipe.read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Needed only if a test has failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
#[cfg(unix)]
fn serves_on_a_free_port_until_a_signal_ends_it() {
    for signal in ["-TERM", "-INT"] {
        let server = Serving::start(&[], &[]);
        server.until_ok("/ready", "");
        let (status, body) = server.get("/models", "");
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("codegaze-mini"), "{body}");
        // An idle connection does not delay the end.
        let idle = TcpStream::connect(&server.address).unwrap();
        let start = Instant::now();
        assert_eq!(
            server.end(signal),
            (Some(0), String::new(), String::new()),
            "{signal}"
        );
        assert!(start.elapsed() < Duration::from_secs(10), "{signal}");
        drop(idle);
    }
}

#[test]
fn every_model_is_served_the_first_by_default() {
    let second = fixture("safetensors");
    let second = second.to_str().unwrap();
    let server = Serving::start(&["--model", second, "--model", "embedded"], &[]);
    server.until_ok("/ready", "");
    let (status, body) = server.get("/models", "");
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    let models = answer["models"].as_array().unwrap();
    assert_eq!(models.len(), 2, "{body}");
    assert_eq!(models[0]["default"], true, "{body}");
    assert_eq!(models[0]["layers"], 3, "{body}");
    assert_eq!(models[1]["id"], "codegaze-mini", "{body}");
    assert_eq!(models[1]["layers"], 6, "{body}");
}

#[test]
fn requests_need_the_token() {
    let token = "0123456789abcdef";
    let server = Serving::start(&[], &[("CODEGAZE_TOKEN", token)]);
    assert_eq!(server.get("/models", "").0, 401);
    let wrong = "authorization: Bearer 0123456789abcdee\r\n";
    assert_eq!(server.get("/models", wrong).0, 401);
    let right = format!("authorization: Bearer {token}\r\n");
    server.until_ok("/models", &right);
}

#[test]
fn what_cannot_be_served_is_one_line() {
    let taken = Serving::start(&[], &[]);
    let (_, port) = taken.address.rsplit_once(':').unwrap();
    let empty = TempDir::new().unwrap();
    let empty = empty.path().to_str().unwrap();
    let cases: Vec<Case<'_>> = vec![
        (vec!["--port", port], 1, "choose another --host or --port"),
        (
            vec!["--host", "0.0.0.0"],
            2,
            "0.0.0.0 is not a loopback address",
        ),
        (
            vec!["--host", "0.0.0.0", "--allow-remote"],
            2,
            "--allow-remote needs a token: set CODEGAZE_TOKEN",
        ),
        (vec!["--allow-origin", "*"], 2, "invalid origin \"*\""),
        (
            vec!["--allow-host", "https://a.org"],
            2,
            "invalid host name \"https://a.org\"",
        ),
        (vec!["--port", "65536"], 2, "65536 is not in"),
        (vec!["--queue", "0"], 2, "0 is not in 1.."),
        (vec!["--timeout", "0"], 2, "0 is not in 1.."),
        (vec!["--live", "many"], 2, "invalid digit"),
        (vec!["--model", "nonsense"], 2, "owner/name"),
        (
            vec!["--port", "0", "--model", "microsoft/codebert-base"],
            1,
            "offline",
        ),
        (vec!["--port", "0", "--model", empty], 1, "config.json"),
    ];
    for (arguments, code, message) in cases {
        let arguments = [vec!["serve"], arguments].concat();
        // The program prints the address before the models are loaded.
        let output = crate::run(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        if stderr.starts_with("listening on") {
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
            let last = stderr.trim_end().lines().last().unwrap();
            assert_eq!(stderr.trim_end().lines().count(), 2, "{stderr}");
            assert!(
                last.starts_with("error: ") && last.contains(message),
                "{arguments:?}: {stderr}"
            );
        } else {
            expect_error(&(arguments, code, message));
        }
    }
    let weak = codegaze()
        .args(["serve", "--port", "0"])
        .env("CODEGAZE_TOKEN", "short")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&weak.stderr);
    assert_eq!(weak.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("CODEGAZE_TOKEN is invalid") && !stderr.contains("short"),
        "{stderr}"
    );
}

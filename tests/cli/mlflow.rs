//! What a tracking server receives, with a server that refuses long values as older ones do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{FIBONACCI, codegaze, root};

/// The most characters of a parameter.
const LIMIT: usize = 250;

struct Server {
    uri: String,
    /// Each request that was taken: the last part of its path, and its body.
    taken: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::new(Mutex::new(Vec::new()));
        let requests = Arc::clone(&taken);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let requests = Arc::clone(&requests);
                std::thread::spawn(move || serve(client, &requests));
            }
        });
        Self { uri, taken }
    }

    /// Runs `analyze` with these arguments; returns the parameters and the status with which the run ended.
    fn record(&self, arguments: &[&str]) -> (Vec<(String, String)>, String) {
        self.taken.lock().unwrap().clear();
        let mut command = codegaze();
        command.args(["analyze", "--format", "csv", "--mlflow-uri", &self.uri]);
        command.args(arguments).output().unwrap();
        let taken = self.taken.lock().unwrap();
        let parts = |name: &str| -> Vec<Value> {
            let of_kind = taken.iter().filter(|(path, _)| path == "log-batch");
            let lists = of_kind.filter_map(|(_, body)| body[name].as_array());
            lists.flatten().cloned().collect()
        };
        assert!(
            !parts("metrics").is_empty(),
            "the metrics arrive: {taken:?}"
        );
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let params = parts("params");
        let params = params.iter().map(|p| (text(&p["key"]), text(&p["value"])));
        let ended = taken.iter().find(|(path, _)| path == "update");
        (
            params.collect(),
            text(&ended.expect("the run is ended").1["status"]),
        )
    }
}

fn serve(client: TcpStream, taken: &Mutex<Vec<(String, Value)>>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut client = client;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            let header = header.trim().to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if header.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let path = first.split_whitespace().nth(1).unwrap();
        let name = path.split('?').next().unwrap().rsplit('/').next().unwrap();
        let is_long = |param: &Value| param["value"].as_str().unwrap().chars().count() > LIMIT;
        let (status, answer) = if name == "get-by-name" {
            (
                404,
                json!({ "error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no" }),
            )
        } else if path.ends_with("experiments/create") {
            (200, json!({ "experiment_id": "1" }))
        } else if path.ends_with("runs/create") {
            (200, json!({ "run": { "info": { "run_id": "r" } } }))
        } else if body["params"]
            .as_array()
            .is_some_and(|params| params.iter().any(is_long))
        {
            (
                400,
                json!({ "error_code": "INVALID_PARAMETER_VALUE", "message": "too long" }),
            )
        } else {
            taken.lock().unwrap().push((name.to_owned(), body));
            (200, json!({}))
        };
        let answer = answer.to_string();
        write!(
            client,
            "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        )
        .unwrap();
    }
}

#[test]
fn long_values_are_cut_so_that_the_run_arrives() {
    let server = Server::start();
    let directory = TempDir::new().unwrap();
    let deep = ["d"; 3].map(|name| name.repeat(120)).join("/");
    let model = directory.path().join(deep);
    std::fs::create_dir_all(&model).unwrap();
    for entry in std::fs::read_dir(root().join("crates/codegaze-mini/model")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
    }
    let (params, status) = server.record(&[FIBONACCI, "--model", model.to_str().unwrap()]);
    let of_model = params.iter().find(|(key, _)| key == "model").unwrap();
    assert_eq!(of_model.1.chars().count(), LIMIT, "{}", of_model.1);
    assert_eq!(status, "FINISHED");
}

#[test]
fn another_view_has_other_parameters() {
    let server = Server::start();
    let (params, _) = server.record(&[FIBONACCI]);
    let (others, _) = server.record(&[FIBONACCI, "--heads", "2", "--aggregate", "max"]);
    for (key, before, after) in [("heads", "mean", "2"), ("aggregate", "corrected", "max")] {
        let of = |params: &[(String, String)]| {
            params
                .iter()
                .find(|(name, _)| name == key)
                .unwrap()
                .1
                .clone()
        };
        assert_eq!(
            (of(&params), of(&others)),
            (before.to_owned(), after.to_owned())
        );
    }
}

#[test]
fn a_command_that_fails_ends_its_run_as_failed() {
    let server = Server::start();
    let (_, status) = server.record(&[FIBONACCI, "absent.py"]);
    assert_eq!(status, "FAILED");
}

//! The part of MLflow's REST API that a run needs: <https://mlflow.org/docs/latest/rest-api.html>.

use std::fmt;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use ureq::http::Uri;
use ureq::{Agent, Body};

use super::{TrackingError, TrackingOptions};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a response that are read.
const BODY_LIMIT: u64 = 1 << 20;

/// The credentials, from the environment variables of MLflow's own client.
#[derive(Clone)]
pub enum Credentials {
    /// `MLFLOW_TRACKING_TOKEN`.
    Token(String),
    /// `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.
    Password { user: String, password: String },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// Reads the environment variables with `get`.
    pub fn from_vars(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        if let Some(token) = get("MLFLOW_TRACKING_TOKEN") {
            return Some(Self::Token(token));
        }
        Some(Self::Password {
            user: get("MLFLOW_TRACKING_USERNAME")?,
            password: get("MLFLOW_TRACKING_PASSWORD").unwrap_or_default(),
        })
    }

    fn header(&self) -> String {
        match self {
            Self::Token(token) => format!("Bearer {token}"),
            Self::Password { user, password } => {
                format!(
                    "Basic {}",
                    BASE64_STANDARD.encode(format!("{user}:{password}"))
                )
            }
        }
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    #[error("{0}")]
    Transport(#[from] ureq::Error),
    #[error("{endpoint}: {status} {message}")]
    Refused {
        endpoint: &'static str,
        status: u16,
        /// MLflow's `error_code`, or an empty string.
        code: String,
        message: String,
    },
    #[error("{endpoint} did not respond like MLflow: the response has no {missing}")]
    Shape {
        endpoint: &'static str,
        missing: &'static str,
    },
}

impl RequestError {
    fn has_code(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == wanted)
    }

    /// Whether sending the same request again would fail in the same way.
    pub(super) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 400..=499,
                ..
            } | Self::Shape { .. }
        )
    }
}

pub(super) struct Client {
    agent: Agent,
    base: String,
    authorization: Option<String>,
    /// Sends a message for every response.
    answered: SyncSender<()>,
}

impl Client {
    pub(super) fn new(
        options: &TrackingOptions,
        answered: SyncSender<()>,
    ) -> Result<Self, TrackingError> {
        let base = options.uri.trim_end_matches('/');
        let uri: Option<Uri> = base.parse().ok();
        uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")))
            .filter(|uri| uri.host().is_some_and(|host| !host.is_empty()))
            .ok_or_else(|| TrackingError::Address(options.uri.clone()))?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("codegaze/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: agent.into(),
            base: format!("{base}/api/2.0/mlflow/"),
            authorization: options.credentials.as_ref().map(Credentials::header),
            answered,
        })
    }

    /// The id of the experiment `name`, which is created if it does not exist.
    pub(super) fn experiment(&self, name: &str) -> Result<String, RequestError> {
        match self.find_experiment(name) {
            Err(error) if error.has_code("RESOURCE_DOES_NOT_EXIST") => {}
            found => return found,
        }
        let endpoint = "experiments/create";
        match self.post(endpoint, &json!({ "name": name })) {
            Ok(answer) => text(&answer, endpoint, "/experiment_id"),
            // Another client created it meanwhile.
            Err(error) if error.has_code("RESOURCE_ALREADY_EXISTS") => self.find_experiment(name),
            Err(error) => Err(error),
        }
    }

    fn find_experiment(&self, name: &str) -> Result<String, RequestError> {
        let endpoint = "experiments/get-by-name";
        let answer = self.get(endpoint, "experiment_name", name)?;
        text(&answer, endpoint, "/experiment/experiment_id")
    }

    /// Creates a run, and returns its id.
    pub(super) fn create_run(&self, request: &Value) -> Result<String, RequestError> {
        let endpoint = "runs/create";
        let answer = self.post(endpoint, request)?;
        text(&answer, endpoint, "/run/info/run_id")
    }

    pub(super) fn log_batch(&self, request: &Value) -> Result<(), RequestError> {
        self.post("runs/log-batch", request).map(drop)
    }

    pub(super) fn update_run(&self, request: &Value) -> Result<(), RequestError> {
        self.post("runs/update", request).map(drop)
    }

    fn get(&self, endpoint: &'static str, key: &str, value: &str) -> Result<Value, RequestError> {
        let mut request = self
            .agent
            .get(format!("{}{endpoint}", self.base))
            .query(key, value);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        self.answer(endpoint, request.call()?)
    }

    fn post(&self, endpoint: &'static str, body: &Value) -> Result<Value, RequestError> {
        let mut request = self
            .agent
            .post(format!("{}{endpoint}", self.base))
            .content_type("application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        self.answer(endpoint, request.send(body.to_string().as_bytes())?)
    }

    fn answer(
        &self,
        endpoint: &'static str,
        response: ureq::http::Response<Body>,
    ) -> Result<Value, RequestError> {
        // If the channel is full, the message that waits means the same.
        let _ = self.answered.try_send(());
        let status = response.status();
        let body = response
            .into_body()
            .into_with_config()
            .limit(BODY_LIMIT)
            .read_to_vec()?;
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(value);
        }
        let field = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        Err(RequestError::Refused {
            endpoint,
            status: status.as_u16(),
            code: field("error_code"),
            message: field("message"),
        })
    }
}

fn text(
    answer: &Value,
    endpoint: &'static str,
    pointer: &'static str,
) -> Result<String, RequestError> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.map(ToOwned::to_owned).ok_or(RequestError::Shape {
        endpoint,
        missing: pointer,
    })
}

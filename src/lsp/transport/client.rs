//! What the server sends on its own account: notifications, and requests whose responses it awaits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{Error, Id, Response};
use tower_lsp::ls_types::notification::Notification;
use tower_lsp::ls_types::request::Request;

use super::outbox::Outbox;
use crate::panics::lock;

/// How long a client may take to respond to a request that its user does not see.
const RESPONSE_DEADLINE: Duration = Duration::from_secs(10);

/// The client of one connection. Messages are sent in the order of the calls.
#[derive(Clone)]
pub struct Client {
    outbox: Arc<Outbox>,
    pending: Arc<Mutex<Pending>>,
}

/// Requests that the client has not responded to.
#[derive(Default)]
struct Pending {
    last_id: i64,
    by_id: HashMap<Id, oneshot::Sender<Response>>,
    is_disconnected: bool,
}

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("the client refuses {method}: {error}")]
    Refused { method: &'static str, error: Error },
    #[error("the client's result of {method} is invalid: {error}")]
    Invalid {
        method: &'static str,
        error: serde_json::Error,
    },
    #[error("the client does not respond to {0}")]
    Timeout(&'static str),
    #[error("the connection ended before the response to {0}")]
    Disconnected(&'static str),
}

impl Client {
    pub(super) fn new(outbox: Arc<Outbox>) -> Self {
        Self {
            outbox,
            pending: Arc::default(),
        }
    }

    pub fn notify<N: Notification>(&self, params: N::Params) {
        self.outbox.notify(N::METHOD, to_value(N::METHOD, params));
    }

    /// Sends a request at once. The future resolves to the result, or fails after ten seconds.
    pub fn request<R: Request>(
        &self,
        params: R::Params,
    ) -> impl Future<Output = Result<R::Result, RequestError>> + Send + use<R> {
        let response = self.ask_user::<R>(params);
        async {
            tokio::time::timeout(RESPONSE_DEADLINE, response)
                .await
                .unwrap_or(Err(RequestError::Timeout(R::METHOD)))
        }
    }

    /// Like [`Self::request`], for a question to the user, who may take any time.
    pub fn ask_user<R: Request>(
        &self,
        params: R::Params,
    ) -> impl Future<Output = Result<R::Result, RequestError>> + Send + use<R> {
        let (id, response) = self.register();
        let params = to_value(R::METHOD, params);
        if let Some(id) = &id
            && !self.outbox.request(id.clone(), R::METHOD, params)
        {
            // An older request that means the same is still to be written.
            self.resolve(Response::from_ok(id.clone(), Value::Null));
        }
        let registered = Registered {
            id,
            pending: Arc::clone(&self.pending),
        };
        async move {
            let response = response.await;
            drop(registered);
            let method = R::METHOD;
            let response = response.map_err(|_| RequestError::Disconnected(method))?;
            let (_, result) = response.into_parts();
            let result = result.map_err(|error| RequestError::Refused { method, error })?;
            serde_json::from_value(result).map_err(|error| RequestError::Invalid { method, error })
        }
    }

    /// A new id, and where its response will arrive. Without an id the connection has ended.
    fn register(&self) -> (Option<Id>, oneshot::Receiver<Response>) {
        let (sender, receiver) = oneshot::channel();
        let mut pending = lock(&self.pending);
        if pending.is_disconnected {
            return (None, receiver);
        }
        pending.last_id += 1;
        let id = Id::Number(pending.last_id);
        pending.by_id.insert(id.clone(), sender);
        (Some(id), receiver)
    }

    /// Hands a response to the request that awaits it.
    pub(super) fn resolve(&self, response: Response) {
        let sender = lock(&self.pending).by_id.remove(response.id());
        if let Some(sender) = sender {
            // The caller may no longer wait.
            let _ = sender.send(response);
        } else {
            tracing::warn!(id = %response.id(), "skipped a response to an unknown request");
        }
    }

    /// Fails all requests that are open, and all later ones.
    pub(super) fn disconnect(&self) {
        let mut pending = lock(&self.pending);
        pending.is_disconnected = true;
        pending.by_id.clear();
    }
}

/// Removes a request that its caller no longer awaits.
struct Registered {
    id: Option<Id>,
    pending: Arc<Mutex<Pending>>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(id) = &self.id {
            lock(&self.pending).by_id.remove(id);
        }
    }
}

fn to_value(method: &str, params: impl serde::Serialize) -> Value {
    serde_json::to_value(params).unwrap_or_else(|error| {
        tracing::error!(method, %error, "parameters that are not JSON");
        Value::Null
    })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use serde_json::json;
    use tower_lsp::ls_types::ConfigurationParams;
    use tower_lsp::ls_types::request::{SemanticTokensRefresh, WorkspaceConfiguration};

    use super::*;

    fn configuration(
        client: &Client,
    ) -> impl Future<Output = Result<Vec<Value>, RequestError>> + use<> {
        client.ask_user::<WorkspaceConfiguration>(ConfigurationParams { items: Vec::new() })
    }

    #[test]
    fn responses_reach_their_requests_in_any_order() {
        let client = Client::new(Arc::default());
        let (first, second) = (configuration(&client), configuration(&client));
        client.resolve(Response::from_ok(Id::Number(2), json!([2])));
        client.resolve(Response::from_error(Id::Number(1), Error::internal_error()));
        client.resolve(Response::from_ok(Id::Number(7), json!([7])));
        let first = first.now_or_never().expect("resolved");
        assert!(matches!(first, Err(RequestError::Refused { .. })));
        assert_eq!(
            second.now_or_never().expect("resolved").unwrap(),
            [json!(2)]
        );
        assert!(lock(&client.pending).by_id.is_empty());
    }

    #[test]
    fn a_request_that_is_dropped_is_forgotten() {
        let client = Client::new(Arc::default());
        drop(configuration(&client));
        assert!(lock(&client.pending).by_id.is_empty());
    }

    #[test]
    fn a_refresh_behind_one_that_is_not_written_yet_resolves_at_once() {
        let client = Client::new(Arc::default());
        let written = client.ask_user::<SemanticTokensRefresh>(());
        let merged = client.ask_user::<SemanticTokensRefresh>(());
        assert!(merged.now_or_never().expect("resolved").is_ok());
        assert!(written.now_or_never().is_none());
    }

    #[test]
    fn the_end_of_the_connection_fails_open_and_later_requests() {
        let client = Client::new(Arc::default());
        let open = configuration(&client);
        client.disconnect();
        for request in [open.now_or_never(), configuration(&client).now_or_never()] {
            assert!(matches!(request, Some(Err(RequestError::Disconnected(_)))));
        }
    }
}

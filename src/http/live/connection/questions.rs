//! The questions of a client. Of each kind and slot, only the newest is answered.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::{AbortHandle, Abortable};
use futures_util::stream::FuturesUnordered;
use serde::Serialize;

use super::super::super::admission::Permit;
use super::super::super::body::encode;
use super::super::super::error::ApiError;
use super::super::answers::{self, MatrixQuestion};
use super::super::document::QuestionSnapshot;
use super::super::messages::{AnswerMessage, ClientMessage};
use super::{Connection, OutboundMessage, no_document};
use crate::view::live::Place;

/// How many questions of one client are worked at.
const MAX_QUESTIONS: usize = 8;

/// Questions of the same kind in the same slot: the newest is answered.
pub(super) type QuestionKey = (&'static str, String);

pub(super) type Questions =
    FuturesUnordered<Pin<Box<dyn Future<Output = (QuestionKey, u64, Outcome)> + Send>>>;

/// `None` for a question that a newer one replaced.
pub(super) type Outcome = Option<Result<(Vec<u8>, Permit), ApiError>>;

impl Connection {
    pub(super) fn ask(&mut self, question: ClientMessage) {
        let app = Arc::clone(&self.app);
        match question {
            ClientMessage::Matrix {
                id,
                slot,
                position,
                chunk,
                model,
                view,
                unit,
            } => {
                let question = MatrixQuestion {
                    place: Place { position, chunk },
                    model,
                    view,
                    unit,
                };
                self.work("matrix", slot, id, |snapshot| async move {
                    answers::matrix(&app, snapshot, question).await
                });
            }
            ClientMessage::Thumbnails {
                id,
                slot,
                position,
                chunk,
                model,
                size,
            } => self.work("thumbnails", slot, id, |snapshot| async move {
                let place = Place { position, chunk };
                answers::thumbnails(&app, snapshot, place, model.as_deref(), size).await
            }),
            ClientMessage::Relations {
                id,
                slot,
                position,
                limit,
            } => self.work("relations", slot, id, |snapshot| async move {
                answers::relations(&app, snapshot, position, limit).await
            }),
            ClientMessage::Summary { id, slot, top } => {
                self.work("summary", slot, id, move |snapshot| {
                    answers::summary(snapshot, top)
                });
            }
            // `apply` handles the other messages.
            _ => {}
        }
    }

    /// Starts to work at a question, which replaces one of the same kind and slot.
    fn work<T, F>(
        &mut self,
        kind: &'static str,
        slot: Option<String>,
        id: u64,
        work: impl FnOnce(QuestionSnapshot) -> F,
    ) where
        T: Serialize + Send,
        F: Future<Output = Result<Option<T>, ApiError>> + Send + 'static,
    {
        let slot = (kind, slot.unwrap_or_default());
        self.supersede(&slot);
        let begun = self.begin();
        let (snapshot, permit) = match begun {
            Ok(begun) => begun,
            Err(error) => return self.send_error(Some(id), &error),
        };
        let work = work(snapshot);
        let answer = async move {
            let result = permit.deadline.within(work).await?;
            let answer = AnswerMessage {
                r#type: kind,
                id,
                result,
            };
            Ok((encode(&answer)?, permit))
        };
        let (handle, registration) = AbortHandle::new_pair();
        self.current.insert(slot.clone(), (id, handle));
        self.questions.push(Box::pin(async move {
            let outcome = Abortable::new(answer, registration).await;
            (slot, id, outcome.ok())
        }));
    }

    fn begin(&mut self) -> Result<(QuestionSnapshot, Permit), ApiError> {
        let document = self.document.as_ref().ok_or_else(no_document)?;
        if self.current.len() >= MAX_QUESTIONS {
            return Err(ApiError::Busy {
                limit: MAX_QUESTIONS,
            });
        }
        let live = self.live.clone().ok_or_else(|| ApiError::Loading {
            model: self.awaited.clone().unwrap_or_default(),
        })?;
        let snapshot = document.snapshot(&self.app, live)?;
        Ok((snapshot, self.app.admission.admit(self.address)?))
    }

    /// Ends the question in a slot, whether it is worked at or its answer waits to be sent.
    fn supersede(&mut self, slot: &QuestionKey) {
        let mut over = Vec::new();
        if let Some((id, handle)) = self.current.remove(slot) {
            handle.abort();
            over.push(id);
        }
        self.outbound.retain(|message| match &message.question {
            Some((of, id)) if of == slot => {
                over.push(*id);
                false
            }
            _ => true,
        });
        for id in over {
            self.send_error(Some(id), &ApiError::Superseded);
        }
    }

    pub(super) fn on_answer(&mut self, slot: QuestionKey, id: u64, outcome: Outcome) {
        let Some(outcome) = outcome else {
            return; // `supersede` sent the error
        };
        self.current.remove(&slot);
        let answer = outcome.and_then(|(json, permit)| {
            let text = String::from_utf8(json);
            let text = text.map_err(|_| ApiError::Internal("the JSON is not UTF-8".to_owned()));
            Ok((text?, permit))
        });
        match answer {
            Ok((text, permit)) => self.outbound.push_back(OutboundMessage {
                question: Some((slot, id)),
                text,
                permit: Some(permit),
            }),
            Err(error) => self.send_error(Some(id), &error),
        }
    }
}

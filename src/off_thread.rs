//! Runs long work on threads that serve no requests.

use tokio::task::JoinError;

/// The work panicked, or the process is ending.
#[derive(Debug, thiserror::Error)]
#[error("a thread ended early: {0}")]
pub(crate) struct EndedEarly(JoinError);

/// Runs `work` on a thread of the pool for blocking work. Work that draws, encodes or reads a whole document runs here, so that other
/// requests do not wait for it.
pub(crate) async fn off_thread<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<EndedEarly> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(EndedEarly(error).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_and_work_leaves_the_thread() {
        let here = std::thread::current().id();
        let there = off_thread(|| Ok::<_, EndedEarly>(std::thread::current().id()));
        assert_ne!(there.await.unwrap(), here);
        let panicked = off_thread(|| -> Result<(), EndedEarly> { panic!("on purpose") });
        let message = panicked.await.unwrap_err().to_string();
        assert!(message.starts_with("a thread ended early:"), "{message}");
        assert!(message.contains("on purpose"), "{message}");
    }
}

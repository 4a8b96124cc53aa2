//! The signals that tell the program to end: Ctrl-C, and the signal of a supervisor.

/// Waits for one, and returns its number.
pub(super) async fn received() -> i32 {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            tracing::warn!("Ctrl-C is not heard");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM is not heard");
                std::future::pending::<()>().await;
            }
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => 2,
        () = terminated => 15,
    }
}

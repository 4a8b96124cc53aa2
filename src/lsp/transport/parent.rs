//! Watches the client's process. A client that was killed can leave the server's input open, if another process has it too.

use std::time::Duration;

/// The server ends within ten seconds of its client, which is time for three checks.
const INTERVAL: Duration = Duration::from_secs(3);

/// Resolves once the process `pid` has ended. Never resolves for a process that cannot be seen from here, such as one outside of
/// the container.
pub(super) async fn ended(pid: u32) {
    if !is_alive(pid) {
        tracing::info!(pid, "the client's process cannot be seen: not watched");
        return std::future::pending().await;
    }
    while is_alive(pid) {
        tokio::time::sleep(INTERVAL).await;
    }
    tracing::warn!(pid, "the client's process has ended");
}

/// A zombie counts as ended.
#[cfg(target_os = "linux")]
fn is_alive(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // `pid (name) state …`, where the name may contain parentheses.
    let state = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    !matches!(state.trim_start().chars().next(), Some('Z' | 'X'))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_alive(pid: u32) -> bool {
    use rustix::process::{Pid, test_kill_process};

    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // Another user's process exists although it cannot be signalled.
    pid.is_some_and(|pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}

/// On other systems only the end of the input ends the server.
#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    false
}

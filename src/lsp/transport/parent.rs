//! Whether the client's process still lives: one that was killed leaves our input open where another process has it too.

use std::time::Duration;

use tokio::sync::mpsc;

/// Two of these fit well into the ten seconds that we may outlive a client.
const EVERY: Duration = Duration::from_secs(3);

/// Says so once `pid` is gone. A process that cannot be seen from here (in a container, it may be counted otherwise) is not
/// watched.
pub(super) async fn watch(pid: u32, gone: mpsc::Sender<()>) {
    if !is_alive(pid) {
        tracing::info!(
            pid,
            "the client's process cannot be seen from here: not watched"
        );
        return;
    }
    while is_alive(pid) {
        tokio::time::sleep(EVERY).await;
    }
    tracing::warn!(pid, "the client's process is gone");
    // The session may be over already.
    let _ = gone.send(()).await;
}

/// A zombie has ended and waits for its own parent.
#[cfg(target_os = "linux")]
fn is_alive(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // `pid (name) state …`, and the name may hold anything.
    let state = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    !matches!(state.trim_start().chars().next(), Some('Z' | 'X'))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_alive(pid: u32) -> bool {
    use rustix::process::{Pid, test_kill_process};

    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // Another user's process may not be signalled, but it is there.
    pid.is_some_and(|pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}

/// Not watched on other systems: there the end of the input is the only sign.
#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    false
}

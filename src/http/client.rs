//! What the server knows about the client of a connection: its address, and how long the server has been waiting for it.

use std::future::Future;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv6Addr, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use axum::http::Version;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::options::Limits;
use crate::panics::lock;

/// How fast a client has to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Bytes per second.
    pub rate: u32,
    /// How far a client may fall behind `rate`.
    pub lag: Duration,
}

pub(crate) struct Client {
    pub address: IpAddr,
    state: Mutex<State>,
    shed: Notify,
    half_closed: Notify,
    /// As `half_closed`, for the reader of a body.
    input_ended: Notify,
}

struct State {
    phase: Phase,
    /// When the phase began; while the server waits for the next request, the time of the last byte that it sent.
    since: Instant,
    /// Bytes that arrived in this phase.
    received: u64,
    version: Version,
    /// The connection of a client that has sent its last byte.
    half_closed: Option<TcpStream>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The connection is new, or a part of the next request has arrived.
    Head,
    Body,
    /// The request is refused, and the rest of its body is discarded.
    Refused,
    /// The server is working at the response.
    Working,
    /// A response is being sent, or the connection waits for the next request.
    Idle,
    /// The connection is a WebSocket, which has its own deadlines.
    Live,
}

/// Informs a client that waits for its response. A client that has closed the connection answers with a reset.
const PROCESSING: &[u8] = b"HTTP/1.1 102 Processing\r\n\r\n";

/// How long the reader of a body may take to read what has arrived, after the client's last byte.
const AFTER_INPUT: Duration = Duration::from_millis(500);

/// The pauses before the first two times that the server checks whether a half-closed client is still there.
const FIRST_PROBES: Duration = Duration::from_millis(250);

/// The pauses before the other ones.
const PROBES: Duration = Duration::from_secs(1);

impl Pace {
    /// When a client that has sent `received` bytes since a moment is too late.
    pub(crate) fn deadline(self, since: Instant, received: u64) -> Instant {
        since + self.due(received) + self.lag
    }

    /// How long `received` bytes may take.
    fn due(self, received: u64) -> Duration {
        Duration::from_millis(received.saturating_mul(1000) / u64::from(self.rate.max(1)))
    }
}

impl Client {
    pub fn new(address: IpAddr) -> Self {
        Self {
            address,
            state: Mutex::new(State {
                phase: Phase::Head,
                since: Instant::now(),
                received: 0,
                version: Version::HTTP_11,
                half_closed: None,
            }),
            shed: Notify::new(),
            half_closed: Notify::new(),
            input_ended: Notify::new(),
        }
    }

    /// Addresses that one user can have: a network of 64 bits in IPv6.
    pub fn network(&self) -> IpAddr {
        network(self.address)
    }

    fn enter(&self, phase: Phase) {
        let mut state = lock(&self.state);
        state.phase = phase;
        state.since = Instant::now();
        state.received = 0;
    }

    /// A request's head has arrived.
    pub fn begin(&self, version: Version) {
        self.enter(Phase::Working);
        lock(&self.state).version = version;
    }

    /// The connection becomes a WebSocket.
    pub fn upgrade(&self) {
        self.enter(Phase::Live);
    }

    /// Runs `read`, which reads a request's body; `None` if the client ended its sending side before the end of the body.
    pub async fn reading_body<T>(&self, read: impl Future<Output = T>) -> Option<T> {
        self.reading(Phase::Body, read).await
    }

    /// As [`Self::reading_body`], for what is left of a refused request's body.
    pub async fn discarding_body(&self, read: impl Future<Output = ()>) {
        self.reading(Phase::Refused, read).await;
    }

    async fn reading<T>(&self, phase: Phase, read: impl Future<Output = T>) -> Option<T> {
        self.enter(phase);
        let ended = async {
            if lock(&self.state).half_closed.is_none() {
                self.input_ended.notified().await;
            }
            sleep(AFTER_INPUT).await;
        };
        let read = tokio::select! {
            biased;
            read = read => Some(read),
            () = ended => None,
        };
        self.enter(Phase::Working);
        read
    }

    pub fn on_received(&self, n_bytes: usize) {
        let mut state = lock(&self.state);
        match state.phase {
            Phase::Head | Phase::Body => {}
            Phase::Idle => {
                state.phase = Phase::Head;
                state.since = Instant::now();
                state.received = 0;
            }
            Phase::Refused | Phase::Working | Phase::Live => return,
        }
        state.received += n_bytes as u64;
    }

    pub fn on_sent(&self) {
        let phase = lock(&self.state).phase;
        // In a body, it is `100 Continue`.
        if !matches!(phase, Phase::Body | Phase::Refused | Phase::Live) {
            self.enter(Phase::Idle);
        }
    }

    /// The client has sent its last byte. Returns whether it may still wait for a response.
    pub fn on_half_closed(&self, connection: impl FnOnce() -> io::Result<TcpStream>) -> bool {
        let mut state = lock(&self.state);
        // A body can be complete although its reader does not know it yet: `reading_body` gives it a moment.
        if matches!(state.phase, Phase::Head | Phase::Live) {
            return false;
        }
        if state.half_closed.is_none() {
            let Ok(connection) = connection() else {
                return false;
            };
            state.half_closed = Some(connection);
            self.half_closed.notify_one();
            self.input_ended.notify_one();
        }
        true
    }

    /// Whether no request is being read or worked at.
    pub fn is_between_requests(&self) -> bool {
        matches!(lock(&self.state).phase, Phase::Head | Phase::Idle)
    }

    /// How far the client is behind `pace`; `None` while the server is working for it. What a refused client sends is not counted, so
    /// that clients without a token cannot keep connections from others.
    pub fn lateness(&self, now: Instant, pace: Pace) -> Option<Duration> {
        let state = lock(&self.state);
        if matches!(state.phase, Phase::Working | Phase::Live) {
            return None;
        }
        Some(now.saturating_duration_since(state.since + pace.due(state.received)))
    }

    /// When the connection is closed unless something happens. The reader of a body has its own deadline, which leads to a response.
    fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = lock(&self.state);
        match state.phase {
            Phase::Head => Some(limits.pace.deadline(state.since, state.received)),
            Phase::Idle => Some(state.since + limits.stall),
            Phase::Body | Phase::Refused | Phase::Working | Phase::Live => None,
        }
    }

    /// Closes the connection in favor of a new one.
    pub fn shed(&self) {
        self.shed.notify_one();
    }

    /// Resolves when the client is half closed.
    pub async fn half_closed(&self) {
        self.half_closed.notified().await;
    }

    /// Resolves with the reason when the connection shall be closed.
    pub async fn given_up(&self, limits: &Limits) -> &'static str {
        tokio::select! {
            () = self.shed.notified() => "it was the slowest of too many",
            () = self.too_late(limits) => "the client is too slow",
        }
    }

    async fn too_late(&self, limits: &Limits) {
        loop {
            let now = Instant::now();
            // By then, another phase can have begun.
            let look = now + limits.pace.lag / 4;
            let next = match self.deadline(limits) {
                Some(deadline) if deadline <= now => return,
                Some(deadline) => deadline.min(look),
                None => look,
            };
            sleep_until(next).await;
        }
    }

    /// Resolves when a half-closed client turns out to be gone. Only an answer to something that is sent tells the two apart.
    pub async fn gone(&self) {
        let mut n_probes = 0;
        loop {
            sleep(if n_probes < 2 { FIRST_PROBES } else { PROBES }).await;
            n_probes += 1;
            if !self.probe() {
                return;
            }
        }
    }

    /// Whether a half-closed client may still be there.
    fn probe(&self) -> bool {
        let mut state = lock(&self.state);
        // HTTP/1.0 has no informational responses, and after a response has begun, it is too late for one.
        if state.phase != Phase::Working || state.version < Version::HTTP_11 {
            return true;
        }
        match state
            .half_closed
            .as_mut()
            .map(|stream| stream.write(PROCESSING))
        {
            None => true,
            Some(Ok(n_bytes)) => n_bytes == PROCESSING.len(),
            Some(Err(error)) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// Addresses that one user can have count as one.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() & (u128::MAX << 64);
            Ipv6Addr::from_bits(bits).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        rate: 1000,
        lag: Duration::from_secs(5),
    };

    #[test]
    fn who_sends_fast_enough_is_never_late() {
        let client = Client::new(IpAddr::from([127, 0, 0, 1]));
        let start = lock(&client.state).since;
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(
            client.lateness(after(3), PACE),
            Some(Duration::from_secs(3))
        );
        client.on_received(10_000);
        assert_eq!(client.lateness(after(9), PACE), Some(Duration::ZERO));
        assert_eq!(PACE.deadline(start, 10_000), after(15));
        client.begin(Version::HTTP_11);
        assert_eq!(client.lateness(after(99), PACE), None);
        assert!(!client.is_between_requests());
        client.on_sent();
        assert!(client.is_between_requests());
    }

    #[test]
    fn one_user_of_ipv6_has_many_addresses() {
        let address = |text: &str| network(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
        assert_ne!(address("10.0.0.1"), address("10.0.0.2"));
    }
}

//! The open connections. If there are too many, the slowest one makes room for the next.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::client::{Client, Pace};
use crate::panics::lock;

/// A client that is less late than this keeps its connection.
const MIN_LATENESS: Duration = Duration::from_millis(100);

/// How long to wait for a connection to end or to become late.
const PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct Connections {
    limit: usize,
    pace: Pace,
    open: Mutex<Open>,
    freed: Notify,
}

#[derive(Default)]
struct Open {
    clients: HashMap<u64, Arc<Client>>,
    next: u64,
}

/// An open connection, for as long as this is alive.
pub(crate) struct Connection {
    pub client: Arc<Client>,
    id: u64,
    connections: Arc<Connections>,
}

impl Connections {
    pub fn new(limit: usize, pace: Pace) -> Arc<Self> {
        Arc::new(Self {
            limit,
            pace,
            open: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// Waits until there is room for one more. The network with the most connections loses its slowest one.
    pub async fn room(&self) {
        while !self.has_room(Instant::now()) {
            // It is looked for again in either case.
            let _ = timeout(PAUSE, self.freed.notified()).await;
        }
    }

    fn has_room(&self, now: Instant) -> bool {
        let mut open = lock(&self.open);
        if open.clients.len() < self.limit {
            return true;
        }
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for client in open.clients.values() {
            *counts.entry(client.network()).or_default() += 1;
        }
        let late = open.clients.iter().filter_map(|(&id, client)| {
            let lateness = client.lateness(now, self.pace)?;
            (lateness >= MIN_LATENESS).then(|| (counts[&client.network()], lateness, id))
        });
        let Some((_, _, slowest)) = late.max() else {
            return false;
        };
        if let Some(client) = open.clients.remove(&slowest) {
            client.shed();
        }
        true
    }

    pub fn add(self: &Arc<Self>, address: IpAddr) -> Connection {
        let client = Arc::new(Client::new(address));
        let mut open = lock(&self.open);
        let id = open.next;
        open.next += 1;
        open.clients.insert(id, Arc::clone(&client));
        Connection {
            client,
            id,
            connections: Arc::clone(self),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.connections.open).clients.remove(&self.id);
        self.connections.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Version;

    use super::*;

    #[test]
    fn the_network_with_the_most_connections_loses_its_slowest() {
        let pace = Pace {
            rate: 1000,
            lag: Duration::from_secs(5),
        };
        let connections = Connections::new(4, pace);
        let start = Instant::now();
        let honest = connections.add(IpAddr::from([10, 0, 0, 1]));
        let other = IpAddr::from([10, 0, 0, 2]);
        let working = connections.add(other);
        working.client.begin(Version::HTTP_11);
        let fast = connections.add(other);
        fast.client.on_received(400);
        let slow = connections.add(other);
        let is_open =
            |connection: &Connection| lock(&connections.open).clients.contains_key(&connection.id);
        let after = |ms| start + Duration::from_millis(ms);
        // No client is late yet.
        assert!(!connections.has_room(after(50)));
        assert!(connections.has_room(after(500)));
        assert!(!is_open(&slow));
        for connection in [&honest, &working, &fast] {
            assert!(is_open(connection));
        }
        drop(slow);
        assert!(connections.has_room(after(50)));
    }

    #[tokio::test]
    async fn a_refused_client_makes_room_however_fast_it_sends() {
        let pace = Pace {
            rate: 1000,
            lag: Duration::from_secs(5),
        };
        let connections = Connections::new(2, pace);
        let start = Instant::now();
        let address = IpAddr::from([10, 0, 0, 1]);
        let honest = connections.add(address);
        honest.client.on_received(1000);
        let refused = connections.add(address);
        let discarding = refused.client.discarding_body(std::future::pending());
        assert!(
            tokio::time::timeout(Duration::ZERO, discarding)
                .await
                .is_err()
        );
        refused.client.on_received(1 << 20);
        assert!(connections.has_room(start + Duration::from_millis(500)));
        let open = lock(&connections.open);
        assert!(open.clients.contains_key(&honest.id));
        assert!(!open.clients.contains_key(&refused.id));
    }
}

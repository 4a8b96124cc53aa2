//! A limited number of places. One network cannot take all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use super::client::network;
use crate::panics::lock;

pub(crate) struct Places {
    limit: usize,
    /// The places that one network can take.
    share: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// A taken place; free again once this is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    network: IpAddr,
}

impl Places {
    /// One network can take three quarters.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            share: limit - limit / 4,
            taken: Mutex::default(),
        })
    }

    /// `None` if all places, or all of the client's share, are taken.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let network = network(address);
        let mut taken = lock(&self.taken);
        let own = taken.by_network.get(&network).copied().unwrap_or_default();
        if taken.all >= self.limit || own >= self.share {
            return None;
        }
        taken.all += 1;
        taken.by_network.insert(network, own + 1);
        Some(Place {
            places: Arc::clone(self),
            network,
        })
    }

    pub fn n_taken(&self) -> usize {
        lock(&self.taken).all
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.taken);
        taken.all -= 1;
        if let Some(own) = taken.by_network.get_mut(&self.network) {
            *own -= 1;
            if *own == 0 {
                taken.by_network.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_leaves_a_quarter_to_the_others() {
        let places = Places::new(8);
        let greedy = IpAddr::from([10, 0, 0, 1]);
        let modest = IpAddr::from([10, 0, 0, 2]);
        let mut taken: Vec<Place> = std::iter::from_fn(|| places.take(greedy)).collect();
        assert_eq!(taken.len(), 6);
        taken.extend(std::iter::from_fn(|| places.take(modest)));
        assert_eq!((taken.len(), places.n_taken()), (8, 8));
        assert!(places.take(IpAddr::from([10, 0, 0, 3])).is_none());
        taken.clear();
        assert_eq!(places.n_taken(), 0);
        assert!(places.take(greedy).is_some());
        // A few places are not worth dividing.
        let few = Places::new(2);
        let taken: Vec<Place> = std::iter::from_fn(|| few.take(greedy)).collect();
        assert_eq!(taken.len(), 2);
    }
}

//! Who is connected, and who has to leave when there is no room for a newcomer.
//!
//! A connection either waits for its client (handshake, head, body, next request) or its request is being served. When the
//! pool is full, the one that has waited longest is closed. Slow clients therefore cost each other their places and nobody
//! else's: who sends his request at once is served long before it would be his turn to leave. A request that is being served
//! is never given up.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::client_address::network;
use crate::limits::MAX_CONNECTIONS_PER_ADDRESS;

/// See the module.
pub(crate) struct ConnectionPool {
    capacity: usize,
    places: Arc<Semaphore>,
    slots: Mutex<Slots>,
    dismissed: AtomicU64,
}

#[derive(Default)]
struct Slots {
    next_turn: u64,
    /// Those that wait for their clients, the longest first.
    waiting: BTreeMap<u64, Idle>,
    /// How many connections each network has, without those that were told to leave.
    networks: HashMap<IpNet, usize>,
}

struct Idle {
    network: Option<IpNet>,
    leave: Arc<Notify>,
}

impl Slots {
    fn wait(&mut self, network: Option<IpNet>, leave: &Arc<Notify>) -> u64 {
        let turn = self.next_turn;
        self.next_turn += 1;
        self.waiting.insert(turn, Idle { network, leave: Arc::clone(leave) });
        turn
    }

    /// Tells the one to leave that has waited longest: of a network, or of all.
    fn evict(&mut self, of: Option<IpNet>) -> bool {
        let is_meant = |waiting: &Idle| of.is_none() || waiting.network == of;
        let turn = self.waiting.iter().find(|(_, waiting)| is_meant(waiting)).map(|(turn, _)| *turn);
        let Some(gone) = turn.and_then(|turn| self.waiting.remove(&turn)) else {
            return false;
        };
        self.release(gone.network);
        gone.leave.notify_one();
        true
    }

    fn release(&mut self, network: Option<IpNet>) {
        if let Some(network) = network
            && let Some(count) = self.networks.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                self.networks.remove(&network);
            }
        }
    }
}

impl ConnectionPool {
    /// An empty pool.
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(capacity));
        Arc::new(Self { capacity, places, slots: Mutex::default(), dismissed: AtomicU64::new(0) })
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> usize {
        self.capacity.saturating_sub(self.places.available_permits())
    }

    /// How many had to leave for others.
    pub(crate) fn dismissed(&self) -> u64 {
        self.dismissed.load(Ordering::Relaxed)
    }

    /// Takes a newcomer in, once there is a place. `address` is who is counted, and nothing for those who are not. Nothing
    /// comes back when that address has as many connections as it may, and a request is being served on each.
    pub(crate) async fn accept(self: &Arc<Self>, address: Option<IpAddr>) -> Option<PooledConnection> {
        let network = address.map(network);
        if let Some(network) = network {
            let mut slots = self.slots();
            let count = slots.networks.get(&network).copied().unwrap_or_default();
            if count >= MAX_CONNECTIONS_PER_ADDRESS && !self.evict(&mut slots, Some(network)) {
                return None;
            }
            *slots.networks.entry(network).or_default() += 1;
        }
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_full) => {
                self.evict_idle();
                Arc::clone(&self.places).acquire_owned().await.ok()?
            }
        };
        let leave = Arc::new(Notify::new());
        let turn = self.slots().wait(network, &leave);
        Some(PooledConnection { pool: Arc::clone(self), network, leave, turn: AtomicU64::new(turn), _place: place })
    }

    /// Tells the connection to leave that has waited longest for its client, if there is one.
    pub(crate) fn evict_idle(&self) {
        self.evict(&mut self.slots(), None);
    }

    fn evict(&self, slots: &mut Slots, of: Option<IpNet>) -> bool {
        let is_dismissed = slots.evict(of);
        self.dismissed.fetch_add(u64::from(is_dismissed), Ordering::Relaxed);
        is_dismissed
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place.
pub(crate) struct PooledConnection {
    pool: Arc<ConnectionPool>,
    network: Option<IpNet>,
    leave: Arc<Notify>,
    /// Its entry among those that wait.
    turn: AtomicU64,
    _place: OwnedSemaphorePermit,
}

impl PooledConnection {
    /// From now on its request is being served, until what comes back is dropped. Nothing when it was told to leave before.
    pub(crate) fn serve(self: &Arc<Self>) -> Option<InFlight> {
        let turn = self.turn.load(Ordering::Relaxed);
        self.pool.slots().waiting.remove(&turn).map(|_| InFlight(Arc::clone(self)))
    }

    /// Returns when it has to leave.
    pub(crate) async fn dismissed(&self) {
        self.leave.notified().await;
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        let turn = self.turn.load(Ordering::Relaxed);
        let mut slots = self.pool.slots();
        if slots.waiting.remove(&turn).is_some() {
            slots.release(self.network);
        }
    }
}

/// A request that is being served. When it is dropped, its connection waits for its client again.
pub(crate) struct InFlight(Arc<PooledConnection>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let turn = self.0.pool.slots().wait(self.0.network, &self.0.leave);
        self.0.turn.store(turn, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// What is there without waiting; nothing while it has to be waited for.
    fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    fn enter(pool: &Arc<ConnectionPool>, address: Option<&str>) -> Option<Arc<PooledConnection>> {
        at_once(pool.accept(address.map(|address| address.parse().unwrap()))).flatten().map(Arc::new)
    }

    fn has_to_leave(connection: &PooledConnection) -> bool {
        at_once(connection.dismissed()).is_some()
    }

    #[test]
    fn a_newcomer_takes_the_place_of_the_one_that_has_waited_longest() {
        let pool = ConnectionPool::new(3);
        let connections = [(); 3].map(|()| enter(&pool, None).unwrap());
        // The first is being served; the second was, and waits since then.
        let served = connections[0].serve().unwrap();
        drop(connections[1].serve().unwrap());
        let mut newcomer = pin!(pool.accept(None));
        let context = &mut Context::from_waker(Waker::noop());
        assert!(newcomer.as_mut().poll(context).is_pending(), "a place is free when somebody has left it");
        assert_eq!(connections.each_ref().map(|connection| has_to_leave(connection)), [false, false, true]);
        let [first, second, third] = connections;
        assert!(third.serve().is_none(), "nothing is begun for who has to leave");
        drop(third);
        let Poll::Ready(Some(fourth)) = newcomer.as_mut().poll(context) else { panic!("there is a place") };
        assert_eq!((pool.connections(), pool.dismissed()), (3, 1));
        // Next in turn is the second; the first is not, as long as it is served, and nor then.
        pool.evict_idle();
        assert_eq!([&*first, &*second, &fourth].map(has_to_leave), [false, true, false]);
        drop(served);
        pool.evict_idle();
        assert_eq!([&*first, &fourth].map(has_to_leave), [false, true]);
        drop((first, second, fourth));
        assert_eq!((pool.connections(), pool.dismissed()), (0, 3));
    }

    #[test]
    fn requests_that_are_served_are_never_given_up() {
        let pool = ConnectionPool::new(2);
        let connections = [(); 2].map(|()| enter(&pool, None).unwrap());
        let served = connections.each_ref().map(|connection| connection.serve().unwrap());
        assert!(enter(&pool, None).is_none(), "it waits");
        assert_eq!(connections.each_ref().map(|connection| has_to_leave(connection)), [false, false]);
        drop((served, connections));
        assert!(enter(&pool, None).is_some());
        assert_eq!(pool.dismissed(), 0);
    }

    #[test]
    fn an_address_that_has_many_connections_pushes_out_its_own() {
        let pool = ConnectionPool::new(MAX_CONNECTIONS_PER_ADDRESS * 2);
        let other = enter(&pool, Some("192.0.2.1")).unwrap();
        let near = enter(&pool, None).unwrap();
        let addresses = ["2001:db8::1", "2001:db8::2:0:0:1"].into_iter().cycle();
        let own: Vec<_> =
            addresses.take(MAX_CONNECTIONS_PER_ADDRESS).map(|address| enter(&pool, Some(address)).unwrap()).collect();
        assert_eq!(pool.dismissed(), 0);
        let newcomer = enter(&pool, Some("2001:db8::3")).unwrap();
        let left: Vec<_> = own.iter().map(|connection| has_to_leave(connection)).collect();
        assert_eq!((left[0], left.iter().filter(|left| **left).count()), (true, 1));
        assert_eq!([&*other, &*near, &*newcomer].map(has_to_leave), [false; 3]);
        // When all of them are being served there is nobody to leave, and the newcomer is turned away.
        let served: Vec<_> = own.iter().chain([&newcomer]).filter_map(PooledConnection::serve).collect();
        assert_eq!(served.len(), MAX_CONNECTIONS_PER_ADDRESS);
        assert!(enter(&pool, Some("2001:db8::3")).is_none());
        assert!(enter(&pool, Some("192.0.2.1")).is_some());
        drop((served, own, newcomer, other, near));
        assert_eq!((pool.connections(), pool.slots().networks.len()), (0, 0));
    }
}

//! Who is connected, and who has to leave when there is no room for a newcomer.
//!
//! A connection either waits for its client (handshake, head, body, next request) or its request is being served. When the
//! house is full, the one that has waited longest is closed. Slow clients therefore cost each other their places and nobody
//! else's: who sends his request at once is served long before it would be his turn to leave. A request that is being served
//! is never given up.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::client_address::network;
use crate::limits::MAX_CONNECTIONS_PER_ADDRESS;

/// See the module.
pub(crate) struct House {
    capacity: usize,
    places: Arc<Semaphore>,
    book: Mutex<Book>,
    dismissed: AtomicU64,
}

#[derive(Default)]
struct Book {
    next_turn: u64,
    /// Those that wait for their clients, the longest first.
    waiting: BTreeMap<u64, Waiting>,
    /// How many connections each network has, without those that were told to leave.
    networks: HashMap<IpAddr, usize>,
}

struct Waiting {
    network: Option<IpAddr>,
    leave: Arc<Notify>,
}

impl Book {
    fn wait(&mut self, network: Option<IpAddr>, leave: &Arc<Notify>) -> u64 {
        let turn = self.next_turn;
        self.next_turn += 1;
        self.waiting.insert(turn, Waiting { network, leave: Arc::clone(leave) });
        turn
    }

    /// Tells the one to leave that has waited longest: of a network, or of all.
    fn dismiss(&mut self, of: Option<IpAddr>) -> bool {
        let is_meant = |waiting: &Waiting| of.is_none() || waiting.network == of;
        let turn = self.waiting.iter().find(|(_, waiting)| is_meant(waiting)).map(|(turn, _)| *turn);
        let Some(gone) = turn.and_then(|turn| self.waiting.remove(&turn)) else {
            return false;
        };
        self.depart(gone.network);
        gone.leave.notify_one();
        true
    }

    fn depart(&mut self, network: Option<IpAddr>) {
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

impl House {
    /// An empty house.
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(capacity));
        Arc::new(Self { capacity, places, book: Mutex::default(), dismissed: AtomicU64::new(0) })
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
    pub(crate) async fn welcome(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Guest> {
        let network = address.map(network);
        if let Some(network) = network {
            let mut book = self.book();
            let count = book.networks.get(&network).copied().unwrap_or_default();
            if count >= MAX_CONNECTIONS_PER_ADDRESS && !self.dismiss(&mut book, Some(network)) {
                return None;
            }
            *book.networks.entry(network).or_default() += 1;
        }
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_full) => {
                self.make_room();
                Arc::clone(&self.places).acquire_owned().await.ok()?
            }
        };
        let leave = Arc::new(Notify::new());
        let turn = self.book().wait(network, &leave);
        Some(Guest { house: Arc::clone(self), network, leave, turn: AtomicU64::new(turn), _place: place })
    }

    /// Tells the connection to leave that has waited longest for its client, if there is one.
    pub(crate) fn make_room(&self) {
        self.dismiss(&mut self.book(), None);
    }

    fn dismiss(&self, book: &mut Book, of: Option<IpAddr>) -> bool {
        let is_dismissed = book.dismiss(of);
        self.dismissed.fetch_add(u64::from(is_dismissed), Ordering::Relaxed);
        is_dismissed
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place.
pub(crate) struct Guest {
    house: Arc<House>,
    network: Option<IpAddr>,
    leave: Arc<Notify>,
    /// Its entry among those that wait.
    turn: AtomicU64,
    _place: OwnedSemaphorePermit,
}

impl Guest {
    /// From now on its request is being served, until what comes back is dropped. Nothing when it was told to leave before.
    pub(crate) fn serve(self: &Arc<Self>) -> Option<Served> {
        let turn = self.turn.load(Ordering::Relaxed);
        self.house.book().waiting.remove(&turn).map(|_| Served(Arc::clone(self)))
    }

    /// Returns when it has to leave.
    pub(crate) async fn dismissed(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let turn = self.turn.load(Ordering::Relaxed);
        let mut book = self.house.book();
        if book.waiting.remove(&turn).is_some() {
            book.depart(self.network);
        }
    }
}

/// A request that is being served. When it is dropped, its connection waits for its client again.
pub(crate) struct Served(Arc<Guest>);

impl Drop for Served {
    fn drop(&mut self) {
        let turn = self.0.house.book().wait(self.0.network, &self.0.leave);
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

    fn enter(house: &Arc<House>, address: Option<&str>) -> Option<Arc<Guest>> {
        at_once(house.welcome(address.map(|address| address.parse().unwrap()))).flatten().map(Arc::new)
    }

    fn has_to_leave(guest: &Guest) -> bool {
        at_once(guest.dismissed()).is_some()
    }

    #[test]
    fn a_newcomer_takes_the_place_of_the_one_that_has_waited_longest() {
        let house = House::new(3);
        let guests = [(); 3].map(|()| enter(&house, None).unwrap());
        // The first is being served; the second was, and waits since then.
        let served = guests[0].serve().unwrap();
        drop(guests[1].serve().unwrap());
        let mut newcomer = pin!(house.welcome(None));
        let context = &mut Context::from_waker(Waker::noop());
        assert!(newcomer.as_mut().poll(context).is_pending(), "a place is free when somebody has left it");
        assert_eq!(guests.each_ref().map(|guest| has_to_leave(guest)), [false, false, true]);
        let [first, second, third] = guests;
        assert!(third.serve().is_none(), "nothing is begun for who has to leave");
        drop(third);
        let Poll::Ready(Some(fourth)) = newcomer.as_mut().poll(context) else { panic!("there is a place") };
        assert_eq!((house.connections(), house.dismissed()), (3, 1));
        // Next in turn is the second; the first is not, as long as it is served, and nor then.
        house.make_room();
        assert_eq!([&*first, &*second, &fourth].map(has_to_leave), [false, true, false]);
        drop(served);
        house.make_room();
        assert_eq!([&*first, &fourth].map(has_to_leave), [false, true]);
        drop((first, second, fourth));
        assert_eq!((house.connections(), house.dismissed()), (0, 3));
    }

    #[test]
    fn requests_that_are_served_are_never_given_up() {
        let house = House::new(2);
        let guests = [(); 2].map(|()| enter(&house, None).unwrap());
        let served = guests.each_ref().map(|guest| guest.serve().unwrap());
        assert!(enter(&house, None).is_none(), "it waits");
        assert_eq!(guests.each_ref().map(|guest| has_to_leave(guest)), [false, false]);
        drop((served, guests));
        assert!(enter(&house, None).is_some());
        assert_eq!(house.dismissed(), 0);
    }

    #[test]
    fn an_address_that_has_many_connections_pushes_out_its_own() {
        let house = House::new(MAX_CONNECTIONS_PER_ADDRESS * 2);
        let other = enter(&house, Some("192.0.2.1")).unwrap();
        let near = enter(&house, None).unwrap();
        let addresses = ["2001:db8::1", "2001:db8::2:0:0:1"].into_iter().cycle();
        let own: Vec<_> =
            addresses.take(MAX_CONNECTIONS_PER_ADDRESS).map(|address| enter(&house, Some(address)).unwrap()).collect();
        assert_eq!(house.dismissed(), 0);
        let newcomer = enter(&house, Some("2001:db8::3")).unwrap();
        let left: Vec<_> = own.iter().map(|guest| has_to_leave(guest)).collect();
        assert_eq!((left[0], left.iter().filter(|left| **left).count()), (true, 1));
        assert_eq!([&*other, &*near, &*newcomer].map(has_to_leave), [false; 3]);
        // When all of them are being served there is nobody to leave, and the newcomer is turned away.
        let served: Vec<_> = own.iter().chain([&newcomer]).filter_map(Guest::serve).collect();
        assert_eq!(served.len(), MAX_CONNECTIONS_PER_ADDRESS);
        assert!(enter(&house, Some("2001:db8::3")).is_none());
        assert!(enter(&house, Some("192.0.2.1")).is_some());
        drop((served, own, newcomer, other, near));
        assert_eq!((house.connections(), house.book().networks.len()), (0, 0));
    }
}

//! A reader that stalls, a disk that is full, and what goes on meanwhile.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// Takes a few bytes at a time, and each only when the test says how that ends.
struct Stubborn {
    asked: Sender<Vec<u8>>,
    answers: Receiver<std::io::Result<usize>>,
}

impl Write for Stubborn {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        drop(self.asked.send(bytes.to_vec()));
        self.answers.recv().unwrap_or(Ok(bytes.len()))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn stubborn() -> (LineWriter, Receiver<Vec<u8>>, Sender<std::io::Result<usize>>) {
    let ((asked, seen), (answer, answers)) = (channel(), channel());
    (LineWriter::start(Box::new(Stubborn { asked, answers })), seen, answer)
}

fn full() -> std::io::Result<usize> {
    Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
}

#[test]
fn a_reader_that_stalls_fills_the_queue_and_then_nothing_is_promised() {
    let (writer, seen, answer) = stubborn();
    assert!(writer.push(b"first\n".to_vec(), None));
    assert_eq!(seen.recv().unwrap(), b"first\n", "it is being written, and that does not end");
    let place = writer.reserve().unwrap();
    let queued = (0..2 * AUDIT_QUEUE).filter(|_| writer.push(b"x\n".to_vec(), None)).count();
    assert_eq!(queued, AUDIT_QUEUE - 1, "of 2048: one place is kept");
    assert_eq!((writer.reserve().map(drop), writer.trouble()), (None, Some("nobody reads it")));
    assert!(writer.push(b"promised\n".to_vec(), Some(&place)));
    drop(place);
    drop(answer);
    writer.settle(AUDIT_END);
    assert!(writer.reserve().is_some() && writer.trouble().is_none(), "the reader is back");
}

#[test]
fn a_disk_that_is_full_stops_promises_and_the_line_goes_on_where_it_was_broken_off() {
    let (writer, seen, answer) = stubborn();
    let place = writer.reserve().unwrap();
    assert!(writer.push(b"one line\n".to_vec(), Some(&place)));
    drop(place);
    answer.send(Ok(4)).unwrap();
    answer.send(full()).unwrap();
    answer.send(full()).unwrap();
    assert_eq!([seen.recv().unwrap(), seen.recv().unwrap()], [b"one line\n".to_vec(), b"line\n".to_vec()]);
    // The next try comes after the fault was noted.
    assert_eq!(seen.recv().unwrap(), b"line\n");
    assert_eq!((writer.reserve().map(drop), writer.trouble()), (None, Some("it cannot be written")));
    assert!(writer.push(b"a revocation goes on\n".to_vec(), None));
    drop(answer);
    assert_eq!([seen.recv().unwrap(), seen.recv().unwrap()], [b"line\n".to_vec(), b"a revocation goes on\n".to_vec()]);
    writer.settle(AUDIT_END);
    assert!(writer.reserve().is_some() && writer.trouble().is_none());
}

#[test]
fn a_place_that_is_not_used_is_given_back() {
    let (writer, ..) = stubborn();
    for _ in 0..3 {
        let places: Vec<_> = std::iter::from_fn(|| writer.reserve()).collect();
        assert_eq!(places.len(), AUDIT_QUEUE);
    }
}

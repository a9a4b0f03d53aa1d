//! The one thread that writes: it takes what has gathered, does it in one transaction, and answers when that is on the disk.
//!
//! A commit costs the disk a synchronization, whatever it holds. Many requests share one, so that their number and not the
//! disk's patience decides how many leases a second can be written. Each piece of work is atomic by itself (a savepoint): one
//! that fails takes nothing back from its neighbours. Nobody hears "written" before the transaction is.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use rusqlite::{Connection, DropBehavior, TransactionBehavior};

use crate::journal::JournalError;
use crate::limits::{BATCHES_PER_COUNT, JOURNAL_BATCH, JOURNAL_QUEUE};

/// What a piece of work sees.
pub(super) struct WriteContext<'a> {
    /// Inside a transaction.
    pub(super) connection: &'a Connection,
    /// How many leases are not over. The work keeps it right; what another process does is seen at the next count.
    pub(super) open: &'a mut usize,
}

/// Something to be written, and somebody who waits for it.
trait Work: Send {
    /// Does it, inside a transaction that is not written yet. A fault takes it back.
    fn run(&mut self, context: &mut WriteContext<'_>) -> Result<(), JournalError>;

    /// Answers, now that the transaction is written or is not.
    fn tell(self: Box<Self>, written: Result<(), JournalError>);
}

struct Task<F, T> {
    work: Option<F>,
    outcome: Option<Result<T, JournalError>>,
    answer: SyncSender<Result<T, JournalError>>,
}

impl<F, T> Work for Task<F, T>
where
    F: FnOnce(&mut WriteContext<'_>) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn run(&mut self, context: &mut WriteContext<'_>) -> Result<(), JournalError> {
        let work = self.work.take().ok_or(NOT_REACHED)?;
        let outcome = work(context).map_err(JournalError::from);
        let told = outcome.as_ref().map(|_| ()).map_err(|error| *error);
        self.outcome = Some(outcome);
        told
    }

    fn tell(self: Box<Self>, written: Result<(), JournalError>) {
        let Self { outcome, answer, .. } = *self;
        // Whoever asked may be gone.
        drop(answer.send(written.and(outcome.unwrap_or(Err(NOT_REACHED)))));
    }
}

/// A batch that was written has done all of its work.
const NOT_REACHED: JournalError = JournalError("it was not reached");
const ENDED: JournalError = JournalError("its writer has ended");

/// The thread, and the queue of what it is to write.
pub(super) struct Writer {
    queue: Option<SyncSender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (queue, gathered) = sync_channel(JOURNAL_QUEUE);
        let thread = Builder::new().name("journal".to_owned()).spawn(move || write_all(connection, &gathered))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Does the work in a transaction, and waits until that is on the disk.
    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut WriteContext<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (answer, answered) = sync_channel(1);
        let task = Box::new(Task { work: Some(work), outcome: None, answer });
        self.queue.as_ref().ok_or(ENDED)?.send(task).map_err(|_ended| ENDED)?;
        answered.recv().map_err(|_ended| ENDED)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Without a queue the thread finishes what it has and ends.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn write_all(mut connection: Connection, gathered: &Receiver<Box<dyn Work>>) {
    let mut open = None;
    for turn in 0_usize.. {
        let Ok(first) = gathered.recv() else { return };
        if turn.is_multiple_of(BATCHES_PER_COUNT) {
            open = None;
        }
        let mut batch: Vec<_> = std::iter::once(first).chain(gathered.try_iter().take(JOURNAL_BATCH - 1)).collect();
        let written = write_batch(&mut connection, &mut batch, &mut open);
        if written.is_err() {
            open = None;
        }
        for work in batch {
            work.tell(written);
        }
    }
}

/// An error means that nothing of the batch was written. `open` is counted when it is not known.
fn write_batch(
    connection: &mut Connection,
    batch: &mut [Box<dyn Work>],
    open: &mut Option<usize>,
) -> Result<(), JournalError> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut count = open.map_or_else(|| count_open(&transaction), Ok)?;
    for work in batch {
        let mut savepoint = transaction.savepoint()?;
        savepoint.set_drop_behavior(DropBehavior::Rollback);
        let before = count;
        match work.run(&mut WriteContext { connection: &savepoint, open: &mut count }) {
            Ok(()) => savepoint.commit()?,
            // After some faults, such as a full disk, SQLite takes the whole transaction back by itself; what came now would be
            // written piece by piece.
            Err(error) if savepoint.is_autocommit() => return Err(error),
            Err(_told_by_itself) => count = before,
        }
    }
    *open = Some(count);
    Ok(transaction.commit()?)
}

fn count_open(connection: &Connection) -> rusqlite::Result<usize> {
    connection.prepare_cached("SELECT count(*) FROM lease WHERE state < 3")?.query_row([], |row| row.get(0))
}

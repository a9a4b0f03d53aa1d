//! One table over the real clients: what a client finds in its file of logins, what hublease finds there, and what is left
//! after a login and a logout, byte for byte.
//!
//! Each row is arranged twice. In one home the client logs in and out by itself, in the other hublease does it with that client.
//! Where both do not come to the same, the row says how hublease ends instead, by the sentence that it says to the user; a row
//! that says more than is so fails as well.

mod clients;
mod containers;
mod docker;
mod ground;
mod helper;
mod witness;

use hublease_sandbox::Sandbox;

pub use self::clients::Reader;
use self::ground::Ground;
use self::helper::Helper;

/// One file of logins.
pub struct Row {
    pub name: &'static str,
    /// The text of the file; `KEY` is the client's key of Docker Hub, `ALICE` the base64 of a login of hers.
    pub text: &'static [u8],
    /// What else there is.
    pub with: &'static [With],
    /// Whom the client finds: a user name, `nobody`, or `refuses`; with `, and warns` behind it where it gives the file up,
    /// and with ` or ` between two where it is a matter of chance.
    pub finds: &'static str,
    pub ends: Ends,
}

/// Something about a file or the machine.
#[derive(Debug, Clone, Copy)]
pub enum With {
    /// The permission bits of the file.
    Mode(u32),
    /// The file is a link to the text, which lies at this path, beside it or from the root of the home on.
    Link(&'static str),
    /// There is a link, and nothing where it leads.
    Dangling(&'static str),
    /// There is no file.
    NoFile,
    /// There is a directory in its place.
    Folder,
    /// The text is as long as this by white space at its end.
    Long(usize),
    /// A credential helper: its name, and what it does.
    Helper(&'static str, Helper),
    /// Another file below the home.
    File(&'static str, &'static str),
    /// A variable, in which `HOME` is the home.
    Variable(&'static str, &'static str),
    /// A variable that is not there.
    Without(&'static str),
}

/// How hublease's login and logout end.
#[derive(Debug, Clone, Copy)]
pub enum Ends {
    /// As the client's own: it finds the same, and leaves the same bytes.
    Alike,
    /// As with `Alike` but for what is named: hublease finds or leaves something else, and this is why.
    But(&'static str, Difference),
    /// In a private directory, with these words; the file stays as it was.
    Apart(&'static str),
    /// After the client's own login, which it does not keep, with these words.
    Fails(&'static str),
    /// Before anything was minted, with these words; the file stays as it was.
    Refused(&'static str),
}

/// What is not alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Whom hublease finds.
    Finds(&'static str),
    /// The text that is left.
    Leaves(&'static [u8]),
    /// What the client cannot do by itself, and the text that hublease leaves.
    Cannot(&'static [u8]),
    /// Whom hublease finds, and the text that is left.
    FindsAndLeaves(&'static str, &'static [u8]),
    /// The text that hublease leaves where docker is older than 23, whatever that does by itself.
    Old(&'static [u8]),
}

/// Holds every row against the client, and names each that is not as it says.
#[track_caller]
pub fn every_row(sandbox: &Sandbox, reader: &Reader) {
    sandbox.hub().add_account("alice", ground::ALICES_PASSWORD);
    let rows: Vec<_> = reader.rows().iter().filter(|row| reader.follows(row)).collect();
    assert!(rows.len() >= 40, "{}", rows.len());
    let (even, odd): (Vec<_>, Vec<_>) = rows.iter().enumerate().partition(|(number, _)| number % 2 == 0);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let halves = [even, odd].map(|half| {
            scope.spawn(move || half.into_iter().filter_map(|(_, row)| wrong(sandbox, reader, row)).collect::<Vec<_>>())
        });
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {} rows are not as they say:\n\n{}", wrong.len(), rows.len(), wrong.join("\n\n"));
}

/// What is not as the row says.
fn wrong(sandbox: &Sandbox, reader: &Reader, row: &Row) -> Option<String> {
    let mut trial = Trial {
        alone: Ground::new(sandbox, reader, row),
        ours: Ground::new(sandbox, reader, row),
        wrong: String::new(),
    };
    let mut finds = trial.alone.finds();
    // An old docker says less of what it cannot read.
    let is_less = |one: &str| reader.is_old() && finds == one.trim_end_matches(", and warns");
    if row.finds.split(" or ").any(|one| one == finds || is_less(one)) {
        row.finds.clone_into(&mut finds);
    }
    trial.holds("the client finds", &finds, row.finds);
    let difference = |difference| match difference {
        Difference::Old(_) if !reader.is_old() => None,
        other => Some(other),
    };
    match row.ends {
        Ends::Alike => trial.alike(row, None),
        Ends::But(why, named) => {
            trial.alike(row, difference(named));
            if !trial.wrong.is_empty() {
                trial.wrong += &format!("\n  said of it: {why}");
            }
        }
        Ends::Apart(words) => trial.apart(words),
        Ends::Fails(words) => {
            let login = trial.ours.hublease_logs_in();
            trial.says("hublease logs in", &login.said(), "refused: ", words);
        }
        Ends::Refused(words) => {
            let before = trial.ours.left();
            let login = trial.ours.hublease_logs_in();
            trial.says("hublease logs in", &login.said(), "refused: ", words);
            assert!(!login.said().contains("lives on"), "{}: something was minted", row.name);
            trial.holds("what is left", &trial.ours.left(), &before);
        }
    }
    (!trial.wrong.is_empty()).then(|| format!("{}{}", row.name, trial.wrong))
}

/// A row in two homes, and what is wrong about it.
struct Trial<'s> {
    alone: Ground<'s>,
    ours: Ground<'s>,
    wrong: String,
}

impl Trial<'_> {
    fn holds(&mut self, what: &str, is: &str, should: &str) {
        if is != should {
            self.wrong += &format!("\n  {what}:\n    is     {is}\n    should {should}");
        }
    }

    fn says(&mut self, what: &str, is: &str, start: &str, words: &str) {
        if !is.starts_with(start) || !is.contains(words) {
            self.wrong += &format!("\n  {what}:\n    is     {is}\n    should {start}… {words}");
        }
    }

    /// Both come to the same, but for what differs.
    fn alike(&mut self, row: &Row, difference: Option<Difference>) {
        let alone = self.alone.logs_in_and_out(row.finds);
        match difference {
            Some(Difference::Old(_)) => {}
            Some(Difference::Cannot(_)) => self.says("the client logs in and out", &alone, "code ", ": "),
            _ => self.holds("the client logs in and out", &alone, "code 0"),
        }
        let found = self.ours.hublease_finds();
        let login = self.ours.hublease_logs_in();
        self.holds("hublease logs in", &login.said(), "code 0, in the client's own place");
        let found = found.unwrap_or_else(|| self.ours.earlier());
        let should = match difference {
            Some(Difference::Finds(whom) | Difference::FindsAndLeaves(whom, _)) => whom,
            _ => row.finds,
        };
        self.holds("hublease finds", &found, should);
        self.holds("the client finds after the login", &self.ours.finds(), "acmebot");
        self.holds("hublease logs out", &self.ours.hublease_logs_out(), "code 0");
        let should = match difference {
            Some(
                Difference::Leaves(text)
                | Difference::FindsAndLeaves(_, text)
                | Difference::Cannot(text)
                | Difference::Old(text),
            ) => self.ours.left_with(text),
            _ => self.alone.left(),
        };
        self.holds("what is left", &self.ours.left(), &should);
        let is_needed = match difference {
            Some(Difference::Finds(whom)) => whom != row.finds,
            Some(Difference::Leaves(_) | Difference::FindsAndLeaves(..)) => self.ours.left() != self.alone.left(),
            _ => true,
        };
        assert!(is_needed, "{}: nothing differs", row.name);
        self.holds("the client finds after the logout", &self.ours.finds(), row.finds);
    }

    /// The login is in a private directory, and the file stays as it was.
    fn apart(&mut self, words: &str) {
        let before = self.ours.left();
        let login = self.ours.hublease_logs_in();
        self.says("hublease logs in", &login.said(), "code 0, in a private place: ", words);
        self.holds("what the login leaves alone", &self.ours.left(), &before);
        self.holds("the client finds in the private place", &self.ours.finds_at(&login.place), "acmebot");
        self.holds("hublease logs out", &self.ours.hublease_logs_out(), "code 0");
        self.holds("what is left", &self.ours.left(), &before);
    }
}

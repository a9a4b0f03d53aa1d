//! A login is read back where the client will look for it: what a client was given and what it keeps are two things.
//!
//! `docker login` takes blanks away from both ends of a password, a credential helper may take a login and forget it, and a
//! program that answers to docker's name may keep logins elsewhere. The mark by which `logout` knows the login is taken from
//! what is there, and a login that is not there is a failure.

use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;
use serde::Deserialize;

use crate::docker::config_file::Entry;
use crate::docker::look::{parsed, read};
use crate::docker::registries_conf::outside;
use crate::docker::{marks, refused};
use crate::effect::Effects;
use crate::effect::docker::{Client, Config, Directory, Found, Registry};
use crate::error::{Error, Problem};
use crate::fingerprint;
use crate::lease::Credential;
use crate::record::{Record, RecordStore, RecordWriter};

/// Makes sure that the client keeps this login, and notes by which mark `logout` will know it. A login that the client made
/// something else of is ours to take back as well.
///
/// # Errors
/// Stage docker: the client does not keep this login.
pub(super) async fn read_back(
    effects: &Effects,
    client: Client,
    directory: &Directory,
    registry: Registry,
    credential: &Credential,
    writer: &mut RecordWriter,
) -> Result<(), Error> {
    match kept(effects, client, directory, registry, credential).await? {
        Kept::Login { mark } => writer.mark(effects, mark).await,
        Kept::Another { mark: Some(mark), .. }
            if !was_there(writer, registry, &mark)
                && is_another_jobs(effects, client, directory, writer, &mark).await? =>
        {
            effects.detail(format!("{registry}: another job has logged in since")).await
        }
        Kept::Another { mark, why } => {
            if mark.as_ref().is_some_and(|mark| !was_there(writer, registry, mark)) {
                writer.mark(effects, mark).await?;
            }
            Err(Error::new(Problem::LoginNotKept, registry.name()).because(&why))
        }
    }
}

/// What is kept after a login. A mark is none where the login can only be told by its name.
enum Kept {
    /// The login that was made.
    Login { mark: Option<String> },
    /// Something else, or nothing.
    Another { mark: Option<String>, why: String },
}

/// Whether the login with this mark came before this call.
fn was_there(writer: &RecordWriter, registry: Registry, mark: &str) -> bool {
    let earlier = writer.record.earlier.iter().filter(|earlier| earlier.registry == registry.name());
    let mut marks = earlier.filter_map(|earlier| Entry { username: None, raw: Some(earlier.entry.clone()) }.mark());
    marks.any(|earlier| earlier == mark)
}

/// Whether somebody else of ours made the login with this mark, and after this one: a job that shares the file, or another step
/// of this job. The last login stays.
async fn is_another_jobs(
    effects: &Effects,
    client: Client,
    directory: &Directory,
    writer: &RecordWriter,
    mark: &str,
) -> Result<bool, Error> {
    let made = |record: &Record| record.made(mark);
    if writer.others.iter().chain(&writer.older).any(made) {
        return Ok(false);
    }
    let is_marked = *directory == Directory::User && marks::is_marked(effects, client, &writer.record.id, mark).await?;
    Ok(is_marked || RecordStore::read(effects, None).await?.records.iter().any(made))
}

async fn kept(
    effects: &Effects,
    client: Client,
    directory: &Directory,
    registry: Registry,
    credential: &Credential,
) -> Result<Kept, Error> {
    let config = read(effects, client, directory).await?.and_then(|file| parsed(client, &file));
    let found = config.map_err(|trouble| refused(&trouble))?.look(client, registry, None);
    let first = outside(effects, client).await?.first;
    if let Some(name) = first.or(found.helper.map(|(name, _)| name)) {
        let helper = format!("the credential helper `{}`", printable(&name));
        return Ok(match ask(effects, client, name, registry).await? {
            Some(login) if login.is(credential) => {
                Kept::Login { mark: Some(fingerprint::of(&login.username, &login.secret)) }
            }
            // A helper shows names only, so that a mark of another secret tells nothing.
            Some(_) => Kept::Another { mark: None, why: format!("{helper} gives another one") },
            None => Kept::Another { mark: None, why: format!("{helper} does not give it") },
        });
    }
    let keeper = client.keeper();
    Ok(match found.entry {
        Some(entry) if is_login(&entry, credential) => Kept::Login { mark: entry.mark() },
        Some(entry) => Kept::Another { mark: entry.mark(), why: format!("{keeper}'s file holds another one") },
        None => Kept::Another { mark: None, why: format!("{keeper}'s file does not hold it") },
    })
}

/// Whether the entry is this login. One with an identity token holds no password, and is known by its name.
fn is_login(entry: &Entry, credential: &Credential) -> bool {
    if entry.part("identitytoken").is_some() {
        return entry.username.as_ref() == Some(&credential.username);
    }
    let pair = entry.pair();
    let text = pair.as_ref().and_then(|pair| std::str::from_utf8(pair).ok());
    text.and_then(|text| text.split_once(':')).is_some_and(|(username, secret)| is_same(username, secret, credential))
}

/// Whether a client that was given the credential keeps it so.
fn is_same(username: &str, secret: &str, credential: &Credential) -> bool {
    username == credential.username && secret.trim() == credential.secret.expose().trim()
}

/// What a helper answers to `get`, as docker-credential-helpers has it.
#[derive(Deserialize)]
struct KeptLogin {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret", with = "hublease_protocol::secret::on_the_wire")]
    secret: Secret,
}

impl KeptLogin {
    fn is(&self, credential: &Credential) -> bool {
        is_same(&self.username, self.secret.expose(), credential)
    }
}

async fn ask(
    effects: &Effects,
    client: Client,
    helper: String,
    registry: Registry,
) -> Result<Option<KeptLogin>, Error> {
    match effects.config(Config::Get { helper, client, registry }).await? {
        Ok(Found::Kept(answer)) => Ok(serde_json::from_str(answer.expose()).ok()),
        Ok(_) => Err(Error::bug("a helper that was not asked")),
        Err(trouble) => Err(refused(&trouble)),
    }
}

#[cfg(test)]
mod tests {
    use hublease_protocol::secret::Secret;

    use super::is_login;
    use crate::docker::config_file::Entry;
    use crate::lease::{Credential, basic};

    #[test]
    fn an_entry_is_the_login_that_was_made_or_another_one() {
        for (kept, made, is_made) in [
            (("acme", "s3cret"), ("acme", "s3cret"), true),
            // docker takes blanks away from both ends, and we do not know which docker it is.
            (("acme", "s3cret"), ("acme", " s3cret "), true),
            (("acme", "s3 cret"), ("acme", "s3 cret"), true),
            (("acme", "with:colon"), ("acme", "with:colon"), true),
            (("acme", "s3cret"), ("acme", "S3cret"), false),
            (("acme", "s3cre"), ("acme", "s3cret"), false),
            (("Acme", "s3cret"), ("acme", "s3cret"), false),
            (("acme", ""), ("acme", "s3cret"), false),
            (("", "acme:s3cret"), ("acme", "s3cret"), false),
        ] {
            let auth = basic(kept.0, &Secret::new(kept.1));
            let raw = Secret::new(format!("{{\"auth\":\"{}\"}}", auth.expose()));
            let entry = Entry { username: Some(kept.0.to_owned()), raw: Some(raw) };
            let credential = Credential { username: made.0.to_owned(), secret: Secret::new(made.1) };
            assert_eq!(is_login(&entry, &credential), is_made, "{kept:?} {made:?}");
        }
    }

    #[test]
    fn an_entry_with_an_identity_token_is_known_by_its_name() {
        let credential = Credential { username: "acme".to_owned(), secret: Secret::new("s3cret") };
        for (username, is_made) in [("acme", true), ("alice", false)] {
            let raw = Secret::new(r#"{"identitytoken":"opaque"}"#);
            let entry = Entry { username: Some(username.to_owned()), raw: Some(raw) };
            assert_eq!(is_login(&entry, &credential), is_made, "{username}");
        }
    }
}

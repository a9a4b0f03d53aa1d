//! One login of the file.

use base64::engine::general_purpose::{GeneralPurpose, PAD};
use base64::{Engine, alphabet};
use hublease_protocol::secret::Secret;
use zeroize::Zeroizing;

use crate::docker::config_file::Malformed;
use crate::docker::config_file::fields::{ENTRY, FieldKind, field, folds_to};
use crate::docker::config_file::json::{self, WHITE_SPACE, members};
use crate::fingerprint;
use crate::lease::basic;

/// The parts of a login in which a secret can be.
const SECRET_PARTS: [&str; 4] = ["auth", "password", "identitytoken", "registrytoken"];

/// Base64 as Go's `StdEncoding` reads it.
const GO: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PAD.with_decode_allow_trailing_bits(true));

/// How deep an entry lies in the file, in tabs.
const DEPTH: usize = 2;

/// A login that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// As whom, if it can be read.
    pub username: Option<String>,
    /// The entry as JSON, from an auth file: on one line and in docker's order, so that it is the same however it was
    /// written.
    pub raw: Option<Secret>,
}

impl Entry {
    /// The entry of this text; none for an empty one, which is a marker and no login.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut entry = Self { username: None, raw: Some(on_one_line(text).ok()?) };
        let name = entry.part("username");
        if name.is_none() && entry.secrets().is_empty() {
            return None;
        }
        let from_auth = entry.pair().and_then(|pair| {
            let name = pair.split(|byte| *byte == b':').next()?;
            std::str::from_utf8(name).ok().map(str::to_owned)
        });
        entry.username = from_auth.or_else(|| name.map(|name| name.expose().to_owned()));
        Some(entry)
    }

    /// The entry of a text that [`Entry::raw`] was.
    pub(crate) fn of(raw: &Secret) -> Option<Self> {
        Self::read(raw.expose())
    }

    /// A text of the entry in the file, if there is something in it.
    pub(crate) fn part(&self, name: &str) -> Option<Secret> {
        let text = self.raw.as_ref()?.expose();
        let members = members(text, json::value(text).ok()?).ok()?;
        let value = field(text, &members, name)?.value.clone();
        json::string(&text[value]).map(Secret::new).filter(|part| !part.is_empty())
    }

    /// Everything in it that is secret by itself.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        SECRET_PARTS.iter().filter_map(|name| self.part(name)).collect()
    }

    /// Username and password with the colon between, as docker reads them: of `auth`, else of the two. Go passes over line ends
    /// in base64 and over bits behind its last byte; docker takes zero bytes away from both ends of a password, and an `auth`
    /// without a name or a colon for an error.
    pub(crate) fn pair(&self) -> Option<Zeroizing<Vec<u8>>> {
        let Some(auth) = self.part("auth") else {
            let (username, password) = (self.part("username")?, self.part("password")?);
            return Some(Zeroizing::new([username.expose(), ":", password.expose()].concat().into_bytes()));
        };
        let auth = Zeroizing::new(auth.expose().replace(['\r', '\n'], ""));
        let mut pair = GO.decode(auth.as_bytes()).ok().map(Zeroizing::new)?;
        let password = pair.iter().position(|byte| *byte == b':').filter(|colon| *colon > 0)? + 1;
        let end = pair.iter().rposition(|byte| *byte != 0).map_or(password, |last| (last + 1).max(password));
        pair.truncate(end);
        let zeros = pair[password..].iter().take_while(|byte| **byte == 0).count();
        pair.drain(password..password + zeros);
        Some(pair)
    }

    /// Whether podman does not log in over this entry: it takes the place of no identity token, nor of what is no base64. One
    /// without a colon is nothing to it.
    pub(super) fn is_in_podmans_way(&self) -> bool {
        let auth = self.part("auth").map(|auth| Zeroizing::new(auth.expose().replace(['\r', '\n'], "")));
        let is_token = self.part("identitytoken").is_some();
        is_token || auth.is_some_and(|auth| GO.decode(auth.as_bytes()).map(Zeroizing::new).is_err())
    }

    /// Whether docker gives the file up at this entry.
    pub(super) fn is_unreadable(&self) -> bool {
        self.part("auth").is_some() && self.pair().is_none()
    }

    /// The mark by which it is told from other logins; none if it can only be told by its name.
    pub(crate) fn mark(&self) -> Option<String> {
        self.pair().filter(|_| self.part("identitytoken").is_none()).map(|pair| fingerprint::of_pair(&pair))
    }
}

/// The entry of a login.
pub(super) fn of_login(username: &str, secret: &Secret) -> Secret {
    let auth = Zeroizing::new(format!("\"{}\"", basic(username, secret).expose()));
    lines(&[("\"auth\"", &auth)])
}

/// An entry that [`Entry::raw`] gave, in docker's form.
///
/// # Errors
/// It is no entry that docker can read.
pub(super) fn as_docker_writes(entry: &Secret) -> Result<Secret, Malformed> {
    FieldKind::Struct(ENTRY).check(entry.expose(), json::value(entry.expose())?)?;
    let entry = on_one_line(entry.expose())?;
    let text = entry.expose();
    let members = members(text, json::value(text)?)?;
    // On one line nothing but the colon is between name and value.
    let pairs =
        members.iter().map(|member| (&text[member.whole.start..member.value.start - 1], &text[member.value.clone()]));
    Ok(lines(&pairs.collect::<Vec<_>>()))
}

/// An object of these members, each on a line, as deep as an entry lies.
fn lines(members: &[(&str, &str)]) -> Secret {
    if members.is_empty() {
        return Secret::new("{}");
    }
    let indent = "\t".repeat(DEPTH);
    let mut parts = vec!["{"];
    for (number, (name, value)) in members.iter().enumerate() {
        parts.extend([if number == 0 { "\n" } else { ",\n" }, &indent, "\t", name, ": ", value]);
    }
    parts.extend(["\n", &indent, "}"]);
    Secret::new(parts.concat())
}

/// An object without white space outside of strings, in docker's order and by docker's names, and behind it what docker does
/// not know.
fn on_one_line(text: &str) -> Result<Secret, Malformed> {
    let members = members(text, json::value(text)?)?;
    let known = ENTRY.iter().filter_map(|(name, _)| Some((*name, field(text, &members, name)?)));
    let unknown = members.iter().filter(|member| !ENTRY.iter().any(|(name, _)| folds_to(&member.name, name)));
    let mut line = String::with_capacity(text.len());
    line.push('{');
    for (number, (name, member)) in
        known.map(|(name, member)| (Some(name), member)).chain(unknown.map(|member| (None, member))).enumerate()
    {
        if number > 0 {
            line.push(',');
        }
        match name {
            Some(name) => {
                line.extend(["\"", name, "\":"]);
                push_without_space(&mut line, &text[member.value.clone()]);
            }
            None => push_without_space(&mut line, &text[member.whole.clone()]),
        }
    }
    line.push('}');
    Ok(Secret::new(line))
}

fn push_without_space(line: &mut String, text: &str) {
    let (mut is_string, mut is_escaped) = (false, false);
    for character in text.chars() {
        if is_string || !WHITE_SPACE.contains(&character) {
            line.push(character);
        }
        is_string ^= character == '"' && !is_escaped;
        is_escaped = is_string && character == '\\' && !is_escaped;
    }
}

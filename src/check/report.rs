//! What `check` found, for people and for programs. Holds no secret.

use hublease_protocol::printable::printable;
use serde_json::{Value, json};

use crate::check::DockerLogin;
use crate::check::window::Window;
use crate::docker::{Look, Store};
use crate::effect::docker::Registry;
use crate::image::Image;
use crate::plan::Check;

/// Whether docker will get an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pull {
    /// It is there and the login may read it.
    Works,
    /// There is no such tag or digest.
    Missing,
    /// It may not be read, or does not exist.
    Denied,
    /// The pull window is used up, or Docker Hub is asked too often.
    LimitReached,
    /// It was not asked.
    Unknown,
}

impl Pull {
    fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::LimitReached => "limit_reached",
            Self::Unknown => "unknown",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Works => "pull works",
            Self::Missing => "no such tag or digest",
            Self::Denied => "pull denied",
            Self::LimitReached => "pull refused, because the limit is reached",
            Self::Unknown => "pull not checked",
        }
    }
}

/// Whether the login may write to an image's repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Push {
    /// It was granted.
    Allowed,
    /// It was not granted.
    Denied,
    /// It was not asked, or the answer does not tell.
    Unknown,
}

impl Push {
    fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Allowed => "push allowed",
            Self::Denied => "push denied",
            Self::Unknown => "push not known",
        }
    }
}

/// What is true of one image.
pub(super) struct Verdict<'a> {
    pub(super) image: &'a Image,
    pub(super) pull: Pull,
    pub(super) push: Push,
    /// More about what is denied; may be a remote text.
    pub(super) why: Option<String>,
}

/// Everything that was found; filled as the story goes on.
pub(super) struct CheckReport<'a> {
    plan: &'a Check,
    look: &'a Look,
    found: &'a DockerLogin,
    /// What keeps a login from being used.
    pub(super) shadows: Vec<String>,
    /// Whether Docker Hub takes the login; its words if it does not.
    pub(super) accepted: Option<Result<(), Option<String>>>,
    /// Whether public images may be pulled, whosever they are; nothing while that is not known.
    pub(super) reads_public: Option<bool>,
    /// The pull window.
    pub(super) window: Window,
    /// One for each image, in the order in which they were typed.
    pub(super) verdicts: Vec<Verdict<'a>>,
}

impl<'a> CheckReport<'a> {
    pub(super) fn new(plan: &'a Check, look: &'a Look, found: &'a DockerLogin) -> Self {
        let unknown = |image| Verdict { image, pull: Pull::Unknown, push: Push::Unknown, why: None };
        Self {
            plan,
            look,
            found,
            shadows: Vec::new(),
            accepted: None,
            reads_public: None,
            window: Window::Unknown("it was not asked"),
            verdicts: plan.images.iter().map(unknown).collect(),
        }
    }

    /// Whether Docker Hub has said that it refuses pulls.
    pub(super) fn limit_is_reached(&self) -> bool {
        self.window == Window::Reached
    }

    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!("login: {}", self.login())];
        match self.shadows.as_slice() {
            [] => lines.push("shadowed: no".to_owned()),
            shadows => lines.extend(shadows.iter().map(|shadow| format!("shadowed: {shadow}"))),
        }
        lines.push(format!("pull window: {}", self.window.text()));
        lines.extend(self.reads_public.map(|reads| format!("public images: {}", public_text(reads))));
        for Verdict { image, pull, push, why } in &self.verdicts {
            let why = why.as_ref().map(|why| format!(" ({})", printable(why))).unwrap_or_default();
            lines.push(format!("{image}: {}, {}{why}", pull.text(), push.text()));
        }
        lines.join("\n")
    }

    pub(super) fn json(&self) -> String {
        let images: Vec<_> = self.verdicts.iter().map(Verdict::json).collect();
        json!({
            "registry": Registry::Hub.name(),
            "directory": printable(&self.look.directory),
            "login": self.state(),
            "username": self.username(),
            "store": self.store(),
            "shadowed": self.shadows,
            "pull_window": self.window.json(),
            "public_images": self.reads_public,
            "images": images,
        })
        .to_string()
    }

    /// Who, where, and what Docker Hub says to it.
    fn login(&self) -> String {
        let place = self.place();
        let name = self.username().map_or_else(|| "there is one".to_owned(), |name| format!("as {name}"));
        match (self.found, &self.accepted) {
            (DockerLogin::Nobody, _) => format!("none in {place}; all of this holds for anonymous clients"),
            (DockerLogin::Withheld(why), _) => format!("{name}, by {place}; not checked: {why}"),
            (DockerLogin::Known(_), None) => format!("{name}, by {place}; not checked"),
            (DockerLogin::Known(_), Some(Ok(()))) => format!("{name}, by {place}; Docker Hub accepts it"),
            (DockerLogin::Known(_), Some(Err(_))) => format!("{name}, by {place}; Docker Hub refuses it"),
        }
    }

    fn state(&self) -> &'static str {
        match (self.found, &self.accepted) {
            (DockerLogin::Nobody, _) => "none",
            (DockerLogin::Withheld(_), _) | (DockerLogin::Known(_), None) => "not_checked",
            (DockerLogin::Known(_), Some(Ok(()))) => "accepted",
            (DockerLogin::Known(_), Some(Err(_))) => "refused",
        }
    }

    fn place(&self) -> String {
        let directory = printable(&self.look.directory);
        if self.look.taken_over.is_some() {
            format!("{directory} (a private directory of hublease, named by DOCKER_CONFIG)")
        } else if self.plan.is_named {
            format!("{directory} (named by DOCKER_CONFIG)")
        } else {
            directory
        }
    }

    /// The user name, unless it may be that of a login which the helper hides.
    fn username(&self) -> Option<String> {
        let registry = self.look.registries.first()?;
        let entry = registry.entry.as_ref()?;
        match (self.found, &registry.store) {
            (DockerLogin::Known(login), _) => Some(login.username.clone()),
            (DockerLogin::Withheld(_), Store::Helper { .. }) if entry.raw.is_some() => None,
            (DockerLogin::Withheld(_), _) => entry.username.as_deref().map(printable),
            (DockerLogin::Nobody, _) => None,
        }
    }

    fn store(&self) -> Value {
        match self.look.registries.first().map(|registry| &registry.store) {
            Some(Store::Helper { name } | Store::SilentHelper { name, .. }) => json!({ "helper": printable(name) }),
            Some(Store::File) | None => json!("file"),
        }
    }
}

fn public_text(reads: bool) -> &'static str {
    if reads { "may be pulled" } else { "may not be pulled; this login reaches the repositories that it was made for" }
}

impl Verdict<'_> {
    fn json(&self) -> Value {
        json!({
            "image": self.image.to_string(),
            "pull": self.pull.word(),
            "push": self.push.word(),
            "why": self.why.as_deref().map(printable),
        })
    }
}

//! What docker and podman know in their files, and of what types: the fields of `ConfigFile` and `AuthConfig` in docker/cli 28
//! (`cli/config/configfile/file.go`, `cli/config/types/authconfig.go`), and of `dockerConfigFile` in containers/image 5
//! (`pkg/docker/config/config.go`).
//!
//! Go takes a name in any case for the field of that name, and of several the last that is not null. At a value of another type
//! docker gives the whole file up with a warning and goes on without what it could not read, so that its next `login` writes
//! everybody else's logins away; podman refuses.

use crate::docker::config_file::Malformed;
use crate::docker::config_file::json::{Member, Span, items, members};

/// A type of Go's, by what of JSON it takes. `null` is taken by all.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldKind {
    /// A string.
    Text,
    /// An array, each of whose items is of this type.
    List(&'static FieldKind),
    /// An object, each of whose values is of this type.
    Map(&'static FieldKind),
    /// An object with these fields, and others.
    Struct(&'static [(&'static str, FieldKind)]),
}

/// The whole file.
pub(super) const FILE: &[(&str, FieldKind)] = &[
    ("auths", FieldKind::Map(&FieldKind::Struct(ENTRY))),
    ("credHelpers", FieldKind::Map(&FieldKind::Text)),
    ("credsStore", FieldKind::Text),
    ("HttpHeaders", FieldKind::Map(&FieldKind::Text)),
    ("psFormat", FieldKind::Text),
    ("imagesFormat", FieldKind::Text),
    ("networksFormat", FieldKind::Text),
    ("pluginsFormat", FieldKind::Text),
    ("volumesFormat", FieldKind::Text),
    ("statsFormat", FieldKind::Text),
    ("detachKeys", FieldKind::Text),
    ("serviceInspectFormat", FieldKind::Text),
    ("servicesFormat", FieldKind::Text),
    ("tasksFormat", FieldKind::Text),
    ("secretFormat", FieldKind::Text),
    ("configFormat", FieldKind::Text),
    ("nodesFormat", FieldKind::Text),
    ("pruneFilters", FieldKind::List(&FieldKind::Text)),
    ("proxies", FieldKind::Map(&FieldKind::Struct(PROXY))),
    ("currentContext", FieldKind::Text),
    ("cliPluginsExtraDirs", FieldKind::List(&FieldKind::Text)),
    ("plugins", FieldKind::Map(&FieldKind::Map(&FieldKind::Text))),
    ("aliases", FieldKind::Map(&FieldKind::Text)),
    ("features", FieldKind::Map(&FieldKind::Text)),
    ("experimental", FieldKind::Text),
];

/// The whole file, for podman: the rest of it may be anything.
pub(super) const PODMAN_FILE: &[(&str, FieldKind)] =
    &[("auths", FieldKind::Map(&FieldKind::Struct(PODMAN_ENTRY))), ("credHelpers", FieldKind::Map(&FieldKind::Text))];

/// One login of podman's.
const PODMAN_ENTRY: &[(&str, FieldKind)] = &[("auth", FieldKind::Text), ("identitytoken", FieldKind::Text)];

/// One login.
pub(super) const ENTRY: &[(&str, FieldKind)] = &[
    ("username", FieldKind::Text),
    ("password", FieldKind::Text),
    ("auth", FieldKind::Text),
    ("email", FieldKind::Text),
    ("serveraddress", FieldKind::Text),
    ("identitytoken", FieldKind::Text),
    ("registrytoken", FieldKind::Text),
];

const PROXY: &[(&str, FieldKind)] = &[
    ("httpProxy", FieldKind::Text),
    ("httpsProxy", FieldKind::Text),
    ("noProxy", FieldKind::Text),
    ("ftpProxy", FieldKind::Text),
    ("allProxy", FieldKind::Text),
];

impl FieldKind {
    /// Whether Go can read this value.
    ///
    /// # Errors
    /// It cannot.
    pub(super) fn check(self, text: &str, value: Span) -> Result<(), Malformed> {
        let literal = &text[value.clone()];
        match self {
            _ if literal == "null" => Ok(()),
            Self::Text if literal.starts_with('"') => Ok(()),
            Self::Text => Err(Malformed),
            Self::List(kind) => items(text, value)?.into_iter().try_for_each(|item| kind.check(text, item)),
            Self::Map(kind) => members(text, value)?.into_iter().try_for_each(|member| kind.check(text, member.value)),
            Self::Struct(fields) => {
                let members = members(text, value)?;
                fields.iter().try_for_each(|(name, kind)| {
                    all(&members, name).try_for_each(|member| kind.check(text, member.value.clone()))
                })
            }
        }
    }
}

/// The members that Go takes for the field `name`, in order.
pub(super) fn all<'m>(members: &'m [Member], name: &str) -> impl DoubleEndedIterator<Item = &'m Member> {
    members.iter().filter(move |member| folds_to(&member.name, name))
}

/// The member of a struct that counts for the field `name`, which is no object: the last one, but for `null`, which changes
/// nothing.
pub(super) fn field<'m>(text: &str, members: &'m [Member], name: &str) -> Option<&'m Member> {
    all(members, name).rfind(|member| &text[member.value.clone()] != "null")
}

/// Whether Go's `bytes.EqualFold` takes both for the same; `field` is ASCII. Beside the two cases of a letter, ſ is an s and
/// the Kelvin sign a k.
pub(super) fn folds_to(name: &str, field: &str) -> bool {
    let folded = |character| match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(folded).eq(field.chars().map(folded))
}

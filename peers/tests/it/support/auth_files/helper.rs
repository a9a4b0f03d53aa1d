//! Credential helpers in a shell: what they do, and what they keep.

use std::path::Path;

/// What a credential helper does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Helper {
    /// Keeps one login, and has none.
    Empty,
    /// Keeps one login, and has alice's.
    Alice,
    /// Says that it is done, and keeps nothing.
    Forgets,
    /// Fails at everything.
    Fails,
}

impl Helper {
    /// Its script; a login is kept at this path, as it was given.
    pub(super) fn script(self, kept: &Path) -> String {
        match self {
            Self::Empty | Self::Alice => format!(
                "case $1 in\n store) /bin/cat > '{0}';;\n get) read -r server; /bin/grep -F \"\\\"$server\\\"\" '{0}' || \
                 {{ echo 'credentials not found in native keychain'; exit 1; }};;\n erase) /bin/rm -f '{0}';;\n list) test \
                 -s '{0}' || {{ echo '{{}}'; exit; }}; /bin/sed \
                 's/.*\"ServerURL\":\\(\"[^\"]*\"\\).*\"Username\":\\(\"[^\"]*\"\\).*/{{\\1:\\2}}/' '{0}';;\nesac",
                kept.display()
            ),
            Self::Forgets => {
                "case $1 in\n store|erase) /bin/cat > /dev/null;;\n list) echo '{}';;\n *) echo 'credentials not found \
                 in native keychain'; exit 1;;\nesac"
                    .to_owned()
            }
            Self::Fails => "echo 'the keychain is locked'; exit 1".to_owned(),
        }
    }
}

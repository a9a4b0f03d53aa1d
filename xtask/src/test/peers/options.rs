//! What was typed after `cargo xtask peers`.

use std::path::PathBuf;

use hublease_peers::Peer;

/// The options.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) list: bool,
    pub(super) long: bool,
    pub(super) cache: Option<PathBuf>,
    /// Empty means all.
    names: Vec<&'static str>,
}

impl Options {
    pub(super) fn parse(words: &[String], peers: &'static [&'static Peer]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--list" => options.list = true,
                "--long" => options.long = true,
                "--cache" => {
                    let path = words.next().ok_or("`--cache` needs a directory")?;
                    options.cache = Some(path.into());
                }
                _ if word.starts_with('-') => return Err(format!("there is no option `{word}`")),
                name => {
                    let peer = peers.iter().find(|peer| peer.name == name);
                    let peer = peer.ok_or_else(|| format!("there is no peer `{name}`; `--list` shows them"))?;
                    options.names.push(peer.name);
                }
            }
        }
        Ok(options)
    }

    pub(super) fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.contains(&name)
    }

    pub(super) fn names_some(&self) -> bool {
        !self.names.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use hublease_peers::PEERS;

    use super::Options;

    fn parse(words: &[&str]) -> Result<Options, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Options::parse(&words, PEERS)
    }

    #[test]
    fn all_are_wanted_unless_some_are_named() {
        assert!(PEERS.iter().all(|peer| parse(&["--long"]).unwrap().wants(peer.name)));
        let options = parse(&["openbao", "--cache", "/srv/peers"]).unwrap();
        assert!(options.wants("openbao") && !options.wants("postgresql") && options.names_some());
        assert_eq!(options.cache, Some(PathBuf::from("/srv/peers")));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(parse(&["--cache"]).unwrap_err(), "`--cache` needs a directory");
        assert_eq!(parse(&["--fast"]).unwrap_err(), "there is no option `--fast`");
        assert_eq!(parse(&["vault"]).unwrap_err(), "there is no peer `vault`; `--list` shows them");
    }
}

//! One namespace: a config, or an orb, with the orbs that it uses. Names in it mean its own elements, and `orb/name` one
//! of an orb's.

use std::collections::BTreeMap;

use serde_json::Value;

use super::node::{Node, Place, Result};

/// The kinds of elements that can be named.
pub const SECTIONS: [&str; 3] = ["commands", "jobs", "executors"];

const CONFIG: [&str; 10] =
    ["version", "setup", "orbs", "commands", "executors", "jobs", "workflows", "parameters", "description", "display"];
const ORB: [&str; 8] = ["version", "description", "display", "orbs", "commands", "executors", "jobs", "examples"];

/// A packed orb, under the name with which a config refers to it, without the version.
pub struct Orb<'v> {
    pub name: &'static str,
    pub packed: &'v Value,
}

/// A namespace.
pub struct Source<'v> {
    pub root: Node<'v>,
    pub orbs: BTreeMap<&'v str, Self>,
    /// An orb sees no parameters of the pipeline.
    pub is_orb: bool,
}

impl<'v> Source<'v> {
    /// A whole config, and the orbs that are to be had.
    pub fn config(root: &'v Value, published: &[Orb<'v>]) -> Result<Self> {
        let root = Node::new(root, Place::new(""));
        root.keys(&CONFIG, &["version"])?;
        if root.value["version"] != serde_json::json!(2.1) {
            return root.place.key("version").refuse("orbs and parameters need version 2.1");
        }
        Self::new(root, published, false)
    }

    fn orb(root: Node<'v>, published: &[Orb<'v>]) -> Result<Self> {
        root.keys(&ORB, &[])?;
        Self::new(root, published, true)
    }

    fn new(root: Node<'v>, published: &[Orb<'v>], is_orb: bool) -> Result<Self> {
        let mut orbs = BTreeMap::new();
        for (name, node) in root.get("orbs").map_or(Ok(Vec::new()), |node| node.entries())? {
            let orb = if node.value.is_object() {
                Self::orb(Node::new(node.value, Place::new(&format!("{name}: "))), published)?
            } else {
                let (wanted, version) = node.text()?.split_once('@').unwrap_or((node.text()?, ""));
                let Some(orb) = published.iter().find(|orb| orb.name == wanted) else {
                    return node.refuse(format!("no orb `{wanted}` is to be had here"));
                };
                is_version(version)
                    .then_some(())
                    .ok_or_else(|| node.place.refusal("name a whole version, as in 1.2.3"))?;
                Self::orb(Node::new(orb.packed, Place::new(&format!("{name}: "))), published)?
            };
            orbs.insert(name, orb);
        }
        Ok(Self { root, orbs, is_orb })
    }

    /// An element by its name in this namespace, with the namespace in which its own names are looked up.
    pub fn find(&self, section: &str, name: &str, place: &Place) -> Result<(&Self, Node<'v>)> {
        let (source, local) = match name.split_once('/') {
            None => (self, name),
            Some((orb, local)) => match self.orbs.get(orb) {
                Some(source) => (source, local),
                None => return place.refuse(format!("no orb `{orb}` is declared under `orbs`")),
            },
        };
        let element = source.root.get(section).and_then(|elements| elements.get(local));
        let noun = section.trim_end_matches('s');
        element.map(|element| (source, element)).ok_or_else(|| place.refusal(format!("there is no {noun} `{name}`")))
    }

    /// The elements of a section by their names.
    pub fn elements(&self, section: &str) -> Result<Vec<(&'v str, Node<'v>)>> {
        self.root.get(section).map_or(Ok(Vec::new()), |elements| elements.entries())
    }
}

/// `1.2.3`: an orb's users are to pin it, and our documents show how.
fn is_version(text: &str) -> bool {
    let parts: Vec<_> = text.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
}

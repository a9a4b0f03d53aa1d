//! From words to the plan of a `check`. The Action's module has no part in it.

use super::resolve::shadow;
use super::{Check, Job};
use crate::cli::Arguments;
use crate::effect::docker::Registry;
use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::image::Image;

/// As many images as a token may be limited to; asked one after the other, they fit into the time of a check.
const MOST_IMAGES: usize = hublease_protocol::scope::MAX_REPOSITORIES;

impl Check {
    pub(super) fn new(arguments: &Arguments, environment: &Environment, job: Job, json: bool) -> Result<Self, Error> {
        if arguments.rest.len() > MOST_IMAGES {
            return Err(Error::new(Problem::InvalidValue, "IMAGE").because("at most 50 images are checked at once"));
        }
        let mut images = Vec::new();
        for (at, text) in arguments.rest.iter().enumerate() {
            // By its place, and not repeated: it might be a secret that was meant for something else.
            let refused = |why| Error::new(Problem::InvalidValue, &format!("IMAGE (number {})", at + 1)).because(why);
            let image = Image::parse(text).map_err(refused)?;
            if !images.contains(&image) {
                images.push(image);
            }
        }
        let shadow = shadow(environment, &[Registry::Hub]);
        let is_named = environment.value("DOCKER_CONFIG").is_some();
        Ok(Self { images, push: arguments.is_on("push"), job, is_named, shadow, json })
    }
}

//! `check`: who is docker logged in as here, how much of the pull window is left, and may that login pull and push?
//!
//! Everything is asked as docker asks it, with the login that docker would find, and nothing is fetched, uploaded or
//! written: a token request for each image shows what is granted, and `HEAD` of its manifest, which Docker Hub does
//! not count, whether it is there. A push is judged by what is granted alone.
//!
//! The login comes from docker's own auth file. A credential helper is asked who is logged in, and never for the
//! secret; so a login that a helper keeps cannot be checked, and that is said. Only images at Docker Hub are checked.

mod report;
mod window;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hublease_protocol::printable::printable;
use hublease_protocol::scope::Action;
use hublease_protocol::secret::Secret;

use crate::check::report::{CheckReport, Pull, Push, Verdict};
use crate::check::window::Window;
use crate::docker::{self, Entry, Look, Store};
use crate::effect::docker::{Client, Directory, Registry};
use crate::effect::{Effects, End, Output};
use crate::error::{Error, Problem};
use crate::image::Image;
use crate::plan::Check;
use crate::record::{Kind, RecordStore};
use crate::registry::hub::{Hub, HubLogin, Manifest, TokenAnswer};

/// The repository that Docker Hub keeps for looking at the pull window.
const PREVIEW: &str = "ratelimitpreview/test";

/// Why a login does not reach an image, as far as Docker Hub tells.
const NO_RIGHT: &str = "it does not exist, or there is no right to it; Docker Hub does not say which";

/// The login that docker finds.
enum DockerLogin {
    /// There is none: docker is anonymous.
    Nobody,
    /// It can be checked.
    Known(HubLogin),
    /// It is there and cannot be checked; why, printable.
    Withheld(String),
}

/// Checks, and reports as much as could be learnt even if a part of it failed.
pub async fn check(effects: Effects, plan: Check) -> End {
    let look = docker::look(&effects, Client::Docker, Directory::Current, vec![Registry::Hub]).await?;
    let found = find(&look);
    let mut report = CheckReport::new(&plan, &look, &found);
    report.shadows = shadows(&effects, &plan, &look).await?;
    let asked = ask(&effects, &found, &mut report).await;
    effects.output(Output::Report(if plan.json { report.json() } else { report.text() })).await?;
    asked?;
    judge(&plan, &found, &report)
}

/// What the look says about the login.
fn find(look: &Look) -> DockerLogin {
    let Some(registry) = look.registries.first() else { return DockerLogin::Nobody };
    match (&registry.store, &registry.entry) {
        (Store::Helper { name }, Some(_)) => DockerLogin::Withheld(format!(
            "the credential helper `{}` decides, and hublease does not ask it for secrets",
            printable(name)
        )),
        (Store::SilentHelper { name, configured: true }, _) => {
            DockerLogin::Withheld(format!("the credential helper `{}` does not answer", printable(name)))
        }
        (_, None) => DockerLogin::Nobody,
        (Store::File | Store::SilentHelper { .. }, Some(entry)) => known(entry).map_or_else(
            || DockerLogin::Withheld("its entry in config.json is no user name with a password or token".to_owned()),
            DockerLogin::Known,
        ),
    }
}

/// User name and secret of an entry, as docker reads them.
fn known(entry: &Entry) -> Option<HubLogin> {
    // With one of these docker does not send the password.
    if entry.part("identitytoken").or_else(|| entry.part("registrytoken")).is_some() {
        return None;
    }
    let pair = entry.pair()?;
    let (username, secret) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    let is_whole = !username.is_empty() && !secret.is_empty();
    is_whole.then(|| HubLogin {
        username: printable(username),
        basic: Secret::new(STANDARD.encode(pair.as_slice())),
        secret: Secret::new(secret),
    })
}

/// What keeps a login from being used, beside a variable that decides over all of them.
async fn shadows(effects: &Effects, plan: &Check, look: &Look) -> Result<Vec<String>, Error> {
    let mut shadows: Vec<_> = plan.shadow.iter().map(Error::sentence).collect();
    for registry in &look.registries {
        let in_file = registry.entry.as_ref().is_some_and(|entry| entry.raw.is_some());
        if let (Store::Helper { name } | Store::SilentHelper { name, configured: true }, true) =
            (&registry.store, in_file)
        {
            let name = printable(name);
            shadows.push(format!("docker asks the credential helper `{name}`, and not for the login in config.json"));
        }
    }
    // Another directory's login only matters where docker is not in a private one already. What cannot be read here is
    // the business of `logout`.
    if look.taken_over.is_none()
        && let Ok(shelf) = RecordStore::read(effects, None).await
    {
        let is_elsewhere = shelf.records.iter().any(|record| {
            record.owner.kind == Kind::Login
                && record.owner.job == plan.job.key
                && record.owner.directory == look.directory
                && record.own_private().is_some()
        });
        if is_elsewhere {
            shadows.push("a login of this job is in a private directory, which DOCKER_CONFIG does not name".to_owned());
        }
    }
    Ok(shadows)
}

/// Asks Docker Hub, as far as the login allows.
async fn ask(effects: &Effects, found: &DockerLogin, report: &mut CheckReport<'_>) -> Result<(), Error> {
    let login = match found {
        DockerLogin::Nobody => None,
        DockerLogin::Known(login) => Some(login),
        DockerLogin::Withheld(_) => return Ok(()),
    };
    if let Some(login) = login {
        effects.mask(&login.secret).await?;
        effects.mask(&login.basic).await?;
    }
    let hub = Hub::new(effects, login);
    if login.is_some() {
        match hub.sign_in().await? {
            TokenAnswer::Granted { .. } => report.accepted = Some(Ok(())),
            TokenAnswer::Refused(words) => {
                report.accepted = Some(Err(words));
                return Ok(());
            }
        }
    }
    (report.reads_public, report.window) = look_at_window(&hub).await?;
    for at in 0..report.verdicts.len() {
        let image = report.verdicts[at].image;
        let (verdict, window) = judge_image(&hub, image, login.is_some(), report).await?;
        report.verdicts[at] = verdict;
        match (&report.window, window) {
            // Without a count only the image may be free, by its publisher's plan: that says nothing about the login.
            (Window::Unknown(_), Some(told @ Window::Limited { .. })) => report.window = told,
            (_, Some(Window::Reached)) => report.window = Window::Reached,
            _ => {}
        }
    }
    Ok(())
}

/// Whether public images may be pulled, if that is told, and the pull window: both by the public repository that is there to show it.
async fn look_at_window(hub: &Hub<'_>) -> Result<(Option<bool>, Window), Error> {
    let TokenAnswer::Granted { bearer, .. } = hub.token_for(PREVIEW, &[Action::Pull]).await? else {
        return Ok((Some(false), Window::Unknown("this login may not read the public repository that shows it")));
    };
    let Ok(preview) = Image::parse(PREVIEW) else { return Err(Error::bug("a preview that is no image")) };
    Ok(match hub.manifest(&preview, &bearer).await? {
        Manifest::Found(told) => (Some(true), Window::of(&told)),
        // It is not counted, and refused all the same: that says nothing about whose images may be read.
        Manifest::LimitReached => (None, Window::Reached),
        Manifest::Missing | Manifest::Denied => (None, Window::Unknown("Docker Hub does not show it to this login")),
    })
}

/// One image: what is granted, and whether it is there; also the pull window if the answer tells it.
async fn judge_image<'i>(
    hub: &Hub<'_>,
    image: &'i Image,
    logged_in: bool,
    report: &CheckReport<'_>,
) -> Result<(Verdict<'i>, Option<Window>), Error> {
    let mut verdict = Verdict { image, pull: Pull::Denied, push: Push::Denied, why: None };
    let wanted: &[Action] = if logged_in { &[Action::Pull, Action::Push] } else { &[Action::Pull] };
    let mut token = hub.token_for(image.repository(), wanted).await?;
    // A token of limited reach that is asked for more than it has is refused as a whole: so less is asked for.
    if logged_in && let TokenAnswer::Refused(words) = token {
        verdict.why = words;
        token = hub.token_for(image.repository(), &[Action::Pull]).await?;
    }
    let (bearer, actions) = match token {
        TokenAnswer::Granted { bearer, actions } => (bearer, actions),
        TokenAnswer::Refused(words) => {
            verdict.why = words.or(verdict.why);
            return Ok((verdict, None));
        }
    };
    match &actions {
        // The bearer does not let itself be read, so only the registry's own answer counts.
        None => verdict.push = Push::Unknown,
        Some(actions) if actions.contains(&Action::Push) => verdict.push = Push::Allowed,
        Some(_) => {}
    }
    if actions.is_some_and(|actions| !actions.contains(&Action::Pull)) {
        verdict.why = verdict.why.or_else(|| Some(NO_RIGHT.to_owned()));
        return Ok((verdict, None));
    }
    if report.limit_is_reached() {
        // What is refused for hours is not asked again for each image.
        verdict.pull = Pull::LimitReached;
        return Ok((verdict, None));
    }
    let mut window = None;
    verdict.pull = match hub.manifest(image, &bearer).await? {
        Manifest::Found(told) => {
            let told = window.insert(Window::of(&told));
            if told.is_used_up() { Pull::LimitReached } else { Pull::Works }
        }
        Manifest::Missing => Pull::Missing,
        Manifest::LimitReached => {
            window = Some(Window::Reached);
            Pull::LimitReached
        }
        Manifest::Denied => {
            verdict.why = verdict.why.or_else(|| Some(NO_RIGHT.to_owned()));
            Pull::Denied
        }
    };
    Ok((verdict, window))
}

/// The exit code: what keeps docker from using the login comes before what Docker Hub says about it.
fn judge(plan: &Check, found: &DockerLogin, report: &CheckReport<'_>) -> End {
    if let Some(shadow) = &plan.shadow {
        return Err(shadow.clone());
    }
    if let DockerLogin::Withheld(why) = found {
        return Err(Error::new(Problem::LoginWithheld, Registry::Hub.name()).because(why));
    }
    if let Some(Err(words)) = &report.accepted {
        let error = Error::new(Problem::LoginDead, Registry::Hub.name());
        return Err(words.iter().fold(error, |error, words| error.because(words)));
    }
    let is_good = |verdict: &&Verdict<'_>| {
        // A tag that is not there yet is what one pushes; nobody pushes a digest.
        let is_new = plan.push && verdict.pull == Pull::Missing && verdict.image.is_tag();
        (verdict.pull == Pull::Works || is_new) && (!plan.push || verdict.push == Push::Allowed)
    };
    let (all, good) = (report.verdicts.len(), report.verdicts.iter().filter(is_good).count());
    if good < all {
        return Err(Error::new(Problem::NotAllowed, &format!("{} of {all}", all - good)));
    }
    Ok(0)
}

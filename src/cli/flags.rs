//! The table of flags. Names follow the neighbours where they exist; ours begin with `HUBLEASE_`.

use hublease_protocol::ci::Ci;

use super::Command::{self, Check, Exec, Login, Logout, Token, Whoami};
use super::Flag;
use super::Support::{self, Local, Refused, Sent};
use super::Value::{self, Choice, Many, One, Switch};

const EXCHANGES: &[Command] = &[Login, Exec, Token, Whoami];
const MINTS: &[Command] = &[Login, Exec, Token];
const PROVIDED: &[Command] = &[Login, Logout, Exec, Token, Whoami];
const ALL: &[Command] = &[Login, Logout, Exec, Token, Whoami, Check];

const ANYWHERE: [Support; 4] = [Local; 4];
const BROKER: [Support; 4] = [Refused, Sent, Refused, Refused];
const VAULT: [Support; 4] = [Refused, Refused, Sent, Refused];
const STATIC: [Support; 4] = [Refused, Refused, Refused, Local];
const IDENTITY: [Support; 4] = [Sent, Sent, Sent, Refused];
const FETCHES: [Support; 4] = [Local, Local, Local, Refused];

/// Every flag, in the order of the help. The four columns are docker, broker, vault, static.
pub static FLAGS: &[Flag] = &[
    flag(
        "provider",
        &["HUBLEASE_PROVIDER"],
        Choice(&["auto", "docker", "broker", "vault", "static"]),
        PROVIDED,
        ANYWHERE,
        "Who vouches; `auto` looks at --connection-id, --broker-url, --vault-path and --vault-role",
    ),
    flag(
        "registry",
        &["HUBLEASE_REGISTRY"],
        Many("NAME"),
        MINTS,
        ANYWHERE,
        "docker.io (default) or dhi.io; may be repeated",
    ),
    flag(
        "username",
        &["HUBLEASE_USERNAME"],
        One("NAME"),
        MINTS,
        ANYWHERE,
        "Account or organization to log in as, where the provider does not tell it",
    ),
    flag(
        "scope",
        &["HUBLEASE_SCOPE"],
        Many("SCOPE"),
        MINTS,
        BROKER,
        "Ask for less than the rule grants, as in `repository:acme/app:pull,push`",
    ),
    flag(
        "expires-in",
        &["HUBLEASE_EXPIRES_IN", "DOCKERHUB_OIDC_EXPIREIN"],
        One("SECONDS"),
        MINTS,
        [Sent, Sent, Local, Refused],
        "Life of the credential; docker: 300 to 21600, default 900; a broker may grant less",
    ),
    flag(
        "audience",
        &["HUBLEASE_AUDIENCE"],
        One("AUDIENCE"),
        PROVIDED,
        IDENTITY,
        "Audience of the identity token; default: https://identity.docker.com, or the provider's origin",
    ),
    flag(
        "audience-elsewhere",
        &["HUBLEASE_AUDIENCE_ELSEWHERE"],
        Switch,
        PROVIDED,
        FETCHES,
        "Accept an audience that is not the provider's own origin",
    ),
    flag(
        "connection-id",
        &["HUBLEASE_CONNECTION_ID", "DOCKERHUB_OIDC_CONNECTIONID"],
        One("UUID"),
        EXCHANGES,
        [Sent, Sent, Refused, Refused],
        "Docker's OIDC connection, or a group of rules at a broker",
    ),
    flag(
        "broker-url",
        &["HUBLEASE_BROKER_URL"],
        One("URL"),
        PROVIDED,
        BROKER,
        "Token service; without a path its metadata names the endpoints (RFC 8414)",
    ),
    flag(
        "vault-addr",
        &["HUBLEASE_VAULT_ADDR", "VAULT_ADDR"],
        One("URL"),
        PROVIDED,
        VAULT,
        "Address of Vault or OpenBao",
    ),
    flag(
        "vault-namespace",
        &["HUBLEASE_VAULT_NAMESPACE", "VAULT_NAMESPACE"],
        One("NAMESPACE"),
        PROVIDED,
        VAULT,
        "Namespace of the mount and the path",
    ),
    flag(
        "vault-auth-path",
        &["HUBLEASE_VAULT_AUTH_PATH"],
        One("PATH"),
        EXCHANGES,
        VAULT,
        "Mount of the JWT method; default: jwt",
    ),
    flag(
        "vault-role",
        &["HUBLEASE_VAULT_ROLE"],
        One("ROLE"),
        EXCHANGES,
        VAULT,
        "Role to log in with; default: the mount's default role",
    ),
    flag(
        "vault-path",
        &["HUBLEASE_VAULT_PATH"],
        One("PATH"),
        EXCHANGES,
        VAULT,
        "Path that gives the credential, as in `dockerhub/token/acmebot/write`",
    ),
    flag(
        "vault-method",
        &["HUBLEASE_VAULT_METHOD"],
        Choice(&["auto", "read", "write"]),
        MINTS,
        VAULT,
        "Read or write the path; `auto` reads, and writes where reading is not supported or not allowed",
    ),
    flag(
        "vault-data",
        &["HUBLEASE_VAULT_DATA"],
        Many("KEY=VALUE"),
        MINTS,
        VAULT,
        "Field of the body of a write; may be repeated",
    ),
    flag(
        "vault-username-field",
        &["HUBLEASE_VAULT_USERNAME_FIELD"],
        One("NAME"),
        MINTS,
        [Refused, Refused, Local, Refused],
        "Field that holds the username; default: username",
    ),
    flag(
        "vault-secret-field",
        &["HUBLEASE_VAULT_SECRET_FIELD"],
        One("NAME"),
        MINTS,
        [Refused, Refused, Local, Refused],
        "Field that holds the credential; default: token, else password",
    ),
    flag(
        "vault-redirect-origin",
        &["HUBLEASE_VAULT_REDIRECT_ORIGIN"],
        One("ORIGIN"),
        PROVIDED,
        [Refused, Refused, Local, Refused],
        "The one other origin that a standby may redirect to",
    ),
    flag(
        "secret-env",
        &["HUBLEASE_SECRET_ENV"],
        One("VARIABLE"),
        MINTS,
        STATIC,
        "Variable that holds the token (static)",
    ),
    flag(
        "username-env",
        &["HUBLEASE_USERNAME_ENV"],
        One("VARIABLE"),
        MINTS,
        STATIC,
        "Variable that holds the username (static)",
    ),
    flag(
        "identity-token-env",
        &["HUBLEASE_IDENTITY_TOKEN_ENV"],
        One("VARIABLE"),
        PROVIDED,
        FETCHES,
        "Variable that holds the identity token, for other CI systems",
    ),
    flag(
        "identity-token-file",
        &["HUBLEASE_IDENTITY_TOKEN_FILE"],
        One("PATH"),
        PROVIDED,
        FETCHES,
        "File that holds the identity token; read anew at each use",
    ),
    flag(
        "ca-cert",
        &["HUBLEASE_CA_CERT", "VAULT_CACERT"],
        One("PATH"),
        ALL,
        FETCHES,
        "Certificates in PEM form, trusted in addition to the system's",
    ),
    flag(
        "client",
        &["HUBLEASE_CLIENT"],
        Choice(&["docker", "podman", "none"]),
        &[Login, Exec],
        ANYWHERE,
        "Who keeps the login; `none` writes docker's auth file without a program",
    ),
    flag(
        "isolated",
        &["HUBLEASE_ISOLATED"],
        Switch,
        &[Login, Exec],
        ANYWHERE,
        "Log in to a private configuration directory, with the other registries' logins",
    ),
    flag(
        "renew",
        &["HUBLEASE_RENEW"],
        Switch,
        &[Exec],
        [Local, Local, Local, Refused],
        "Exchange anew at 80 % of the life, as long as the command runs",
    ),
    flag(
        "strict-revoke",
        &["HUBLEASE_STRICT_REVOKE"],
        Switch,
        &[Logout, Exec],
        ANYWHERE,
        "Exit with 7 when something was not revoked",
    ),
    flag(
        "probe-dead",
        &["HUBLEASE_PROBE_DEAD"],
        Switch,
        &[Logout],
        ANYWHERE,
        "Ask Docker Hub afterwards whether the credential is refused; takes it from docker's own store",
    ),
    flag("push", &[], Switch, &[Check], ANYWHERE, "Exit with 4 when an image cannot be pushed, too"),
    flag("all", &[], Switch, &[Logout], ANYWHERE, "Undo every record of this user, not only this job's"),
    // No variable either: it is about more than this job, so it is said where it is meant.
    flag("workflow", &[], Switch, &[Logout], BROKER, "Revoke the leases of every job of this workflow, too"),
    flag(
        "format",
        &["HUBLEASE_FORMAT"],
        Choice(&["json", "env", "secret"]),
        &[Token],
        ANYWHERE,
        "How to print the credential; default: json",
    ),
    flag("force", &[], Switch, &[Token], ANYWHERE, "Print the credential even on a terminal"),
    flag(
        "dry-run",
        &["HUBLEASE_DRY_RUN"],
        Switch,
        &[Login, Logout, Exec, Token, Check],
        ANYWHERE,
        "Resolve the plan, print it, and do nothing",
    ),
    flag("as", &[], Choice(Ci::SELF_IDENTIFYING), MINTS, FETCHES, "With --dry-run: pretend to be a job there"),
    flag(
        "output",
        &["HUBLEASE_OUTPUT"],
        Choice(&["text", "json"]),
        ALL,
        ANYWHERE,
        "Form of what is printed; default: text",
    ),
    flag("verbose", &["HUBLEASE_VERBOSE"], Switch, ALL, ANYWHERE, "Say more (also -v)"),
    flag("quiet", &["HUBLEASE_QUIET"], Switch, ALL, ANYWHERE, "Say warnings and errors only"),
];

const fn flag(
    name: &'static str,
    variables: &'static [&'static str],
    value: Value,
    commands: &'static [Command],
    support: [Support; 4],
    help: &'static str,
) -> Flag {
    Flag { name, variables, value, commands, support, help }
}

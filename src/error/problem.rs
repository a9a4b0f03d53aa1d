//! The closed list of what can go wrong, in the order of the story. `docs/troubleshooting.md` has one section for each.

use hublease_protocol::ci::Ci;

use super::Stage;

/// Declares the list: name, stage, sentence (`{}` is what it is about), hint (may be empty).
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident $stage:ident $sentence:literal $hint:expr;)*) => {
        /// One entry of the closed list of failures.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Problem { $($(#[$doc])* $name,)* }

        impl Problem {
            /// Every entry, in the order of the story.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in this list.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The sentence; `{}` stands for what it is about.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }

            /// What to do about it; empty when there is nothing more to say.
            pub fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }

            /// Where in the story it belongs; decides the exit code.
            pub fn stage(self) -> Stage {
                match self { $(Self::$name => problems!(@stage $stage),)* }
            }
        }
    };
    (@stage Interrupted) => { Stage::Interrupted(2) };
    (@stage NotFound) => { Stage::Command(127) };
    (@stage NotExecutable) => { Stage::Command(126) };
    (@stage $stage:ident) => { Stage::$stage };
}

problems! {
    /// An argument that no command knows, or one that is missing.
    CommandLine Usage "the command line is not understood"
        "`hublease --help` lists the commands, `hublease COMMAND --help` the flags of one";
    /// An input of the Action that does not exist.
    UnknownInput Usage "there is no input {}"
        "https://github.com/hublease/hublease/blob/main/docs/github-actions.md lists the inputs of the Action";
    /// A variable that is nearly one of ours.
    UnknownVariable Usage "there is no variable {}"
        "a variable has the name of its flag; `hublease COMMAND --help` shows each";
    /// A flag with an empty value.
    EmptyFlag Usage "{} is empty"
        "leave the flag out or give it a value; an empty variable counts as unset";
    /// A value of the wrong form.
    InvalidValue Usage "the value of {} cannot be used" "";
    /// Something that the chosen provider cannot do without.
    Missing Usage "{} is missing" "";
    /// Nothing selects a provider.
    NoProvider Usage "nothing says which provider to ask"
        "give `--connection-id` (Docker), `--broker-url`, or `--vault-path`; or `--provider static` with `--secret-env`";
    /// Two inputs select different providers.
    TwoProviders Usage "more than one provider is selected: {}"
        "keep the flags and variables of the one that you mean, and take the others away";
    /// A wish that the chosen provider cannot honour.
    NotHonoured Usage "this provider cannot honour {}"
        "https://github.com/hublease/hublease/blob/main/docs/providers.md has the table of what each provider sends, does itself, or refuses";
    /// Two flags that exclude each other.
    Conflict Usage "{} exclude each other" "";
    /// An audience that is not the provider's own origin.
    ForeignAudience Usage "the audience {} is not the provider's own"
        "a token for another audience can be used there by whoever receives it; give `--audience-elsewhere` if it is meant";
    /// `token` with a terminal as its output.
    Terminal Usage "a credential is not printed on a terminal"
        "send the output to a file or a pipe, or give `--force`";
    /// A certificate file that cannot be used.
    CertificateFile Usage "the certificates of {} cannot be used"
        "`--ca-cert` takes a file with certificates in PEM form";

    /// No source of identity applies.
    NoIdentity Identity "no identity token here"
        "run in CircleCI or GitHub Actions, or name a token with `--identity-token-env` or `--identity-token-file`";
    /// GitHub without the permission.
    GithubPermission Identity "GitHub gave this job no permission to ask for an identity token"
        Ci::Github.job().without_token;
    /// GitHub answered something else than a token.
    GithubAnswer Identity "GitHub did not issue an identity token"
        "look at https://www.githubstatus.com, and whether `id-token: write` is still granted to this job";
    /// CircleCI without a token.
    CircleciEmpty Identity "CircleCI gave this job no identity token"
        Ci::Circleci.job().without_token;
    /// `circleci run oidc get` failed.
    CircleciProgram Identity "`circleci run oidc get` gave no identity token"
        "another program named `circleci` (the CLI, for instance) may come first on PATH and hide the one of the job";
    /// The named variable is unset or empty.
    IdentityVariable Identity "the variable {} holds no identity token"
        "check its name, and that the CI system fills it for this job";
    /// The file cannot be read.
    IdentityFile Identity "the identity token file cannot be read"
        "check the path, and that the file is readable for this user";
    /// What was found is not a JWT.
    IdentityMalformed Identity "what was found is not an identity token"
        "an identity token is a JWT: three parts, separated by dots";
    /// The token is over.
    IdentityExpired Identity "the identity token has expired"
        "log in earlier in the job, or have the CI system write a fresh token to a file (`--identity-token-file`)";

    /// The provider wants another audience.
    RefusedAudience Refused "{} does not accept the audience of the identity token"
        "make `--audience` and the provider agree: `bound_audiences` of the Vault role, the broker's public URL, or `https://identity.docker.com`";
    /// The provider does not know the issuer.
    RefusedIssuer Refused "{} does not trust the issuer of the identity token"
        "Docker's own exchange accepts GitHub Actions only; a Vault mount trusts one issuer, and CircleCI has one per organization";
    /// The provider finds the token too old.
    RefusedExpired Refused "{} finds the identity token expired or not yet valid"
        "log in right before the token is used; check the clock of the machine";
    /// No rule matches.
    RefusedRule Refused "no rule of {} accepts this job"
        "`hublease whoami` prints the claims of this job and the narrowest rule that would accept it";
    /// The role does not exist.
    RefusedRole Refused "{} does not know the role"
        "check `--vault-role` and `--vault-auth-path`";
    /// Vault refuses a login in words that it has for several things.
    RefusedLogin Refused "{} refuses the login and does not say why"
        "there is no such auth method (`--vault-auth-path`), or this address or identity is not admitted: `token_bound_cidrs` of the role, a disabled entity";
    /// The namespace does not exist.
    RefusedNamespace Refused "{} has no such namespace"
        "check `--vault-namespace`";
    /// The Vault token may be used too seldom.
    RefusedUses Refused "{} gives Vault tokens for too few uses"
        "an operator sets `token_num_uses` of the role to 0, or to 5 and more";
    /// The path is not allowed.
    RefusedPath Refused "{} does not let this job use the path"
        "the policy of the role needs `create` and `update` on a path that mints, and `read` on one that is read; https://github.com/hublease/hublease/blob/main/docs/vault.md has it";
    /// The path does not exist.
    RefusedMissing Refused "{} has nothing at that path"
        "check `--vault-path` and `--vault-namespace`; a KV version 2 path has `data` after its mount";
    /// A second factor is wanted.
    RefusedFactor Refused "{} wants a second factor, which a job cannot give"
        "exempt the role of the job from the MFA enforcement";
    /// The connection id is unknown or off.
    RefusedConnection Refused "{} does not accept the connection"
        "check `--connection-id`: it may be mistyped, deactivated or deleted";
    /// The scope is not granted.
    RefusedScope Refused "{} does not grant that scope"
        "ask for less with `--scope`, or have the rule widened";
    /// The provider refused the token once used.
    RefusedReplay Refused "{} has seen this identity token before"
        "a token is good for one login there; hublease asks for a fresh one on each run where the CI system allows it";
    /// `logout --workflow`: no rule lets this job speak for its workflow.
    RefusedWorkflow Refused "{} does not let this job revoke for its workflow"
        "the rule that accepts this job needs `revoke_workflow = true`, and the identity token a claim that names the workflow";
    /// `logout --workflow` at a token service that cannot do that.
    NoWorkflow Refused "{} revokes for no workflow"
        "its metadata names no `lease_revocation_endpoint`: our broker has one, another token service need not";
    /// The provider refused for another reason.
    Refused Refused "{} refused the request"
        "`hublease whoami` prints what this job can prove";

    /// `check`: the stored login is dead.
    LoginDead Refused "{} does not accept the login that docker has here"
        "log in again: the credential has expired or was revoked, or the username is not its owner's";
    /// `check`: an image is out of reach.
    NotAllowed Refused "not all images can be used as asked: {}"
        "the report says which and why; a token may be limited to other repositories, or to pulling";

    /// No connection.
    Unreachable Unavailable "{} cannot be reached"
        "check the address, HTTPS_PROXY and NO_PROXY, and whether the provider is up";
    /// No connection to the proxy.
    ProxyUnreachable Unavailable "the proxy on the way to {} cannot be reached"
        "HTTPS_PROXY names the proxy; NO_PROXY names what is reached without it";
    /// No tunnel.
    ProxyRefused Unavailable "the proxy refuses the way to {}"
        "HTTPS_PROXY names the proxy, with USER:PASSWORD@ before its host if it wants them; its operator allows hosts; NO_PROXY names what is reached without it";
    /// A proxy's address of another kind.
    ProxyUnusable Unavailable "the proxy on the way to {} cannot be used"
        "HTTPS_PROXY takes `http://HOST:PORT`, with USER:PASSWORD@ before the host if need be; no other scheme is spoken";
    /// The certificate is not trusted.
    Untrusted Unavailable "the certificate of {} is not trusted"
        "add the authority with `--ca-cert`, or to the system's store";
    /// No TLS.
    NoTls Unavailable "there is no TLS with {}"
        "what listens there may speak no TLS, or nothing of TLS 1.2 or 1.3 that both sides know: check scheme and port";
    /// Too slow.
    Slow Unavailable "{} did not answer in time"
        "a request is given 15 seconds and the whole login 90";
    /// The connection broke in mid-answer.
    Cut Unavailable "the connection to {} broke before the answer was complete" "";
    /// A body over the cap.
    TooLarge Unavailable "the answer of {} is larger than 1 MiB"
        "no provider says so much: this is another address than its own, or something answers in its place";
    /// HTTP to a port that speaks TLS.
    PlainHttp Unavailable "{} speaks TLS, and was asked without"
        "write the address with `https://`";
    /// An answer that is not what the protocol says.
    Answer Unavailable "{} gave an answer that cannot be used"
        "a page, a text or nothing comes from something else than the provider: another address than its own, or a proxy, a firewall or a portal before it";
    /// 429.
    Busy Unavailable "{} takes no more requests for now"
        "try again later, or ask for a higher limit";
    /// 5xx.
    Failing Unavailable "{} fails"
        "try again later; the log of the provider, or of the proxy that answers in its place, says why";
    /// Vault is sealed.
    Sealed Unavailable "{} is sealed or in maintenance"
        "an operator has to unseal it";
    /// A standby without its active server.
    Standby Unavailable "{} cannot write now, as a server that stands by"
        "try again later, or give the address of the active server; an operator looks whether this one reaches it";
    /// Vault cannot check the token.
    NoKeys Unavailable "{} cannot get the keys of the issuer"
        "an operator looks at the auth method: `oidc_discovery_url` or `jwks_url`, and the authority that it trusts";
    /// A redirect that is not followed.
    Redirected Unavailable "{} redirects elsewhere, which is not followed"
        "use the final address; for a Vault standby name the active node with `--vault-redirect-origin`";
    /// 204 or empty data where a credential was expected.
    NothingMinted Unavailable "{} created no credential"
        "the 2021 plugin answers so when the namespace is not in its configuration";
    /// The engine failed, in its own words.
    MintFailed Unavailable "{} could not make a credential"
        "the cause stays until somebody mends it at Vault; Docker Hub's plugin fails so without `--vault-data label=NAME`";
    /// A credential that docker cannot take.
    CredentialUnfit Unavailable "the credential of {} is none that docker takes"
        "a stored one is stored anew without a line break at its end: `printf %s TOKEN`, where `echo TOKEN` adds one";
    /// A field is missing.
    FieldMissing Unavailable "the secret has no usable field {}"
        "name the fields with `--vault-username-field` and `--vault-secret-field`";
    /// The whole story took too long.
    Deadline Unavailable "it took longer than it may" "a login and a check are given 90 seconds, a logout 30";

    /// No docker on PATH.
    NoDocker Docker "no {} program on PATH"
        "install it, or give `--client none`: hublease then writes the auth file itself";
    /// DOCKER_AUTH_CONFIG wins over what is stored.
    Shadowed Docker "`DOCKER_AUTH_CONFIG` already decides what docker uses for {}"
        "unset the variable for this job: docker prefers it to every login";
    /// `config.json` is broken.
    ConfigMalformed Docker "docker's config.json is not valid JSON, and is left as it is"
        "repair or remove the file, or give `--isolated`";
    /// The directory cannot be read or written.
    ConfigUnusable Docker "docker's configuration directory cannot be used"
        "give `--isolated`, or point DOCKER_CONFIG to a directory that this user may write";
    /// The registry refused the credential.
    LoginRefused Docker "{} did not accept the credential"
        "check that the username is the account or organization that the credential belongs to";
    /// Docker Hub's lock-out.
    LoginLocked Docker "{} takes no login now, because too many were made or failed before"
        "wait, and do not repeat the job at once: each further login makes the lock longer";
    /// docker login failed otherwise.
    LoginFailed Docker "the login to {} failed" "";
    /// The client said that it logged in, and the login is not there.
    LoginNotKept Docker "the client said that it logged in to {}, and does not keep the login"
        "give `--isolated`, which keeps it in a file of its own; `-v` says which program answers to the client's name";
    /// The credential helper failed.
    HelperFailed Docker "docker's credential helper could not store the credential"
        "give `--isolated`, or repair the helper that config.json names";
    /// podman gives each login to a helper, whatever file it is told of, and logs out of all of them at once.
    HelperFirst Docker "podman's registries.conf puts the credential helper `{}` before every file, and no login can be kept apart from it"
        "put `containers-auth.json` first in its `credential-helpers`, or name another registries.conf with CONTAINERS_REGISTRIES_CONF";
    /// `check`: the secret cannot be had.
    LoginWithheld Docker "the login to {} is kept where it cannot be checked"
        "log in with `--isolated`, which keeps the login in a file, and check there";
    /// The record cannot be kept.
    RecordUnusable Docker "the record that `logout` needs cannot be kept"
        "the record directory must belong to this user with mode 0700: $RUNNER_TEMP/hublease, $XDG_RUNTIME_DIR/hublease or $TMPDIR/hublease-<uid>";
    /// A record without room for one more lease.
    RecordFull Docker "what earlier logins of this job have left to be undone fills its record"
        "`hublease logout`, with the address of the provider that gave those credentials, undoes them";
    /// A record that is not ours.
    RecordForeign Docker "there is a record that this version did not write for this job; it is left alone"
        "look at the file that is named, and remove it if nobody needs it";

    /// The command of `exec` does not exist.
    CommandMissing NotFound "the command {} does not exist" "";
    /// The command of `exec` cannot be run.
    CommandUnusable NotExecutable "the command {} cannot be run" "";

    /// Not revoked, and strict.
    NotRevoked Revocation "not everything was revoked"
        "the lines above say what lives on and until when";
    /// Standard output is gone or full.
    OutputLost Docker "the output cannot be written" "check that the disk is not full and that the reader still reads";
    /// A signal.
    Interrupted Interrupted "interrupted" "";
    /// Our fault.
    Bug Bug "hublease came to a state that it excludes: {}" "please report this with the output of `-v`";
}

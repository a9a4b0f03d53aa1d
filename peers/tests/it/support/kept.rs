//! Differences between stand-ins and real servers that stay, and why.

/// One of them. A `*` at the end of row or difference stands for anything.
pub struct Kept {
    pub table: &'static str,
    /// The row's name.
    pub row: &'static str,
    /// The difference as `compare` words it.
    pub difference: &'static str,
    pub reason: &'static str,
}

const fn kept(table: &'static str, row: &'static str, difference: &'static str, reason: &'static str) -> Kept {
    Kept { table, row, difference, reason }
}

const ONE_KEY: &str =
    "the sandbox's issuers share one key; elsewhere another issuer's token fails by its signature, as here";
const NOT_SENT: &str = "hublease sends no such request: it sends JSON with texts, to plain paths";
const NO_CONSTRAINTS: &str = "the stand-in's policies know paths only; the constraints are tried at the real server";
const NO_RENEWAL: &str = "hublease renews nothing, and the stand-in says so by refusing it";
const WORDS: &str = "understood by the words around it, which are the same";
const SHOWN: &str = "shown to people, read by no program";
const STRICTER: &str = "squid lets it pass; the stand-in does not, so that a client which does it is found";
const UPLOAD_NAME: &str = "the name of an upload is another each time";
const DETAILS: &str = "distribution 3 words the details anew; Docker Hub's are those of 2.8, and no client reads them";
const HUBS_WORDS: &str = "Docker Hub's token service says it by `details`, and names no way to log in";
const HUBS_ANSWER: &str = "Docker Hub gives `token` and `issued_at` besides, and a bearer lives for five minutes there";
const SIGNED_BY: &str = "one names its key by a certificate, the other by itself; registries take both";
const NO_REFRESH: &str = "the stand-in gives no refresh tokens, so that a client has to live without them";
const STRANGE_SCOPES: &str =
    "the real one grants whatever is asked below the user's name; registries look at no such action";
const NOT_ASKED: &str = "hublease does not ask for the health; scripts read the status";

/// Every one.
pub const KEPT: &[Kept] = &[
    kept("login", "by GET", "body.errors.0:*", NOT_SENT),
    kept("login", "body that is no JSON", "body.errors.0:*", NOT_SENT),
    kept("login", "role that is a list", "body.errors.0:*", NOT_SENT),
    kept("login", "another issuer", "body.errors.0:*", ONE_KEY),
    kept("login", "expiry that is a text", "body.errors.0:*", WORDS),
    kept("login", "no algorithm", "body.errors.0:*", WORDS),
    kept(
        "key-value",
        "version 2 without data/, by who may",
        "body.warnings.0:*",
        "names the product's own command line",
    ),
    kept("key-value", "two slashes", "*", NOT_SENT),
    kept("key-value", "dots", "*", NOT_SENT),
    kept("key-value", "least time of a wrapping, not wrapped", "*", NO_CONSTRAINTS),
    kept("leases", "allowed parameters: another path's", "*", NO_CONSTRAINTS),
    kept("leases", "renewed", "*", NO_RENEWAL),
    kept("namespaces", "looked up*", "body.data.display_name:*", SHOWN),
    kept("namespaces", "looked up*", "body.data.namespace_path:*", SHOWN),
    kept("registry", "upload by who may push", "header location:*", UPLOAD_NAME),
    kept(
        "content",
        "manifest in any form",
        "*",
        "distribution 2.8 makes schema 1 of it for who asks for nothing else; Docker Hub gave that up",
    ),
    kept("content", "manifest of a reference that is none", "*", NOT_SENT),
    kept("content", "upload begun", "header location:*", UPLOAD_NAME),
    kept("content", "a path that is none", "*", NOT_SENT),
    kept("registry 3", "manifest that is not there", "body.errors.0.detail*", DETAILS),
    kept("registry 3", "upload by who may push", "header location:*", UPLOAD_NAME),
    kept("content 3", "manifest of a tag that is not there", "body.errors.0.detail*", DETAILS),
    kept("content 3", "manifest of a digest that is not there", "body.errors.0.detail*", DETAILS),
    kept("content 3", "blob of a digest that is none", "body.errors.0.detail:*", DETAILS),
    kept("content 3", "manifest of a reference that is none", "*", NOT_SENT),
    kept("content 3", "upload begun", "header location:*", UPLOAD_NAME),
    kept("content 3", "a path that is none", "*", NOT_SENT),
    kept("token service", "by nobody", "*", "the real one serves nobody without a password; Docker Hub does"),
    kept("token service", "by *", "header www-authenticate:*", HUBS_WORDS),
    kept("token service", "by *", "body.*", HUBS_WORDS),
    kept("token service", "by PUT", "*", HUBS_WORDS),
    kept("token service", "by HEAD", "header content-type:*", NOT_SENT),
    kept("token service", "by POST*", "*", NO_REFRESH),
    kept("token service", "with a refresh token", "body.refresh_token:*", NO_REFRESH),
    kept("token service", "with*", "body.*", HUBS_ANSWER),
    kept("token service", "of one's own", "body.*", HUBS_ANSWER),
    kept("token service", "header of a bearer", "body.jwk.*", SIGNED_BY),
    kept("token service", "header of a bearer", "body.x5c.*", SIGNED_BY),
    kept("token service", "claims of an action that is none", "body.access*", STRANGE_SCOPES),
    kept("token service", "claims of a class", "body.access*", "hublease asks for images alone, which have no class"),
    kept("tunnels", "without a Host header", "*", STRICTER),
    kept("tunnels", "no port", "*", STRICTER),
    kept("tunnels", "a port that is none", "*", STRICTER),
    kept("tunnels", "a method in small letters", "*", STRICTER),
    kept("tunnels", "a version that is none", "*", "no client of ours sends it, and both refuse it"),
    kept("tokens", "renewed", "*", NO_RENEWAL),
    kept("server", "health", "body.*", NOT_ASKED),
    kept("server", "sealed: health", "body.*", NOT_ASKED),
];

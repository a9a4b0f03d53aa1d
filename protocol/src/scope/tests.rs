//! The scope grammar, case by case: what passes, what is refused and with which sentence.
//! The tables are longer than a function should be, because a row per line is how they are read.

use super::*;

#[test]
fn order_repetition_and_spacing_do_not_matter() {
    let canonical = "repository:acme/app:pull,push repository:acme/base:pull";
    for text in [
        canonical,
        "repository:acme/base:pull repository:acme/app:push,pull",
        "  repository:acme/app:push   repository:acme/base:pull repository:acme/app:pull ",
    ] {
        let scope = Scope::parse(text).unwrap();
        assert_eq!(scope, Scope::parse(canonical).unwrap());
        assert_eq!(scope.to_string(), canonical);
    }
    let scope = Scope::parse(canonical).unwrap();
    assert_eq!(scope.repositories().collect::<Vec<_>>(), ["acme/app", "acme/base"]);
    assert_eq!(scope.actions("acme/app").collect::<Vec<_>>(), [Action::Pull, Action::Push]);
    assert_eq!(scope.actions("acme/other").count(), 0);
}

#[test]
fn names_of_the_distribution_grammar_pass() {
    for name in
        ["acme/app", "a/b", "acme/my-app", "acme/my--app", "acme/my_app", "acme/my__app", "acme/1.2", "a/b/c", "ubuntu"]
    {
        assert_eq!(check_repository(name), Ok(()), "{name}");
    }
}

#[test]
fn everything_else_is_refused_with_a_sentence() {
    let table = [
        ("", "the scope is empty"),
        ("   ", "the scope is empty"),
        ("acme/app:pull", "a scope has the form `repository:NAME:pull,push`: `acme/app:pull`"),
        ("repository:acme/app", "a scope has the form `repository:NAME:pull,push`: `repository:acme/app`"),
        ("registry:catalog:*", "a scope has the form `repository:NAME:pull,push`: `registry:catalog:*`"),
        ("repository:acme/app:", "an action is one of pull, push and delete: ``"),
        ("repository:acme/app:*", "an action is one of pull, push and delete: `*`"),
        ("repository:acme/app:pull,", "an action is one of pull, push and delete: ``"),
        ("repository:acme/app:Pull", "an action is one of pull, push and delete: `Pull`"),
        ("repository:acme/*:pull", "a scope names repositories one by one, without `*`: `acme/*`"),
        ("repository:acme/../x:pull", "a repository name holds no `..`: `acme/../x`"),
        ("repository:Acme/app:pull", "a repository name is lower case: `Acme/app`"),
        (
            "repository:docker.io/acme/app:pull",
            "a repository name starts with its namespace, not with a host: `docker.io/acme/app`",
        ),
        (
            "repository:localhost/app:pull",
            "a repository name starts with its namespace, not with a host: `localhost/app`",
        ),
        (
            "repository:host:5000/app:pull",
            "a repository name holds no host, port, tag or second colon: `repository:host:5000/app:pull`",
        ),
        ("repository::pull", "a repository name has 1 to 255 characters: ``"),
        ("repository:/app:pull", "not a repository name: `/app`"),
        ("repository:acme/:pull", "not a repository name: `acme/`"),
        ("repository:acme//app:pull", "not a repository name: `acme//app`"),
        ("repository:-a/app:pull", "not a repository name: `-a/app`"),
        ("repository:a___b/app:pull", "not a repository name: `a___b/app`"),
        ("repository:acme/app\n:pull", "not a repository name: `acme/app?u{a}`"),
        ("repository:acme/\u{202e}:pull", "not a repository name: `acme/?u{202e}`"),
    ];
    for (text, sentence) in table {
        assert_eq!(Scope::parse(text).unwrap_err().to_string(), sentence, "{text:?}");
    }
}

#[test]
fn limits_hold_and_errors_stay_short() {
    let entry = |index| format!("repository:acme/app{index}:pull");
    let fifty = (0..50).map(entry).collect::<Vec<_>>().join(" ");
    assert_eq!(Scope::parse(&fifty).unwrap().repositories().count(), 50);
    let one_more = format!("{fifty} {}", entry(50));
    assert_eq!(Scope::parse(&one_more).unwrap_err().sentence(), "the scope names more than 50 repositories");
    let long = format!("repository:{}:pull", "a".repeat(256));
    assert!(Scope::parse(&long).unwrap_err().to_string().len() < 200);
    assert_eq!(Scope::parse(&" ".repeat(16 * 1024 + 1)).unwrap_err().sentence(), "the scope is longer than 16 KiB");
    let name = |index: usize| format!("repository:{index:02}{}:pull,push,delete", "a".repeat(253));
    let widest = (0..50).map(name).collect::<Vec<_>>().join(" ");
    assert!(Scope::parse(&widest).is_ok(), "the byte limit leaves room for the widest scope");
}

#[test]
fn public_images_are_granted_and_never_asked_for() {
    let asked = Scope::parse("repository:acme/app:push").unwrap().with_implied();
    let granted = asked.clone().with_public_pull().unwrap();
    assert_eq!(granted.to_string(), "repository:acme/app:pull,push repository:*/*/public:pull");
    assert_eq!((asked.allows_public_pull(), granted.allows_public_pull()), (false, true));
    assert!(granted.covers(&asked) && !asked.covers(&granted) && granted.covers(&granted));
    assert_eq!(granted.with_implied(), granted);
    assert_eq!(granted.repositories().collect::<Vec<_>>(), ["acme/app"]);
    assert!(Scope::parse(&granted.to_string()).is_err() && Scope::parse("repository:*/*/public:pull").is_err());
    for (count, fits) in [(1, true), (49, true), (50, false)] {
        let names: Vec<_> = (0..count).map(|index| format!("acme/app{index}")).collect();
        let scope = Scope::of(names.iter().map(String::as_str), &[Action::Pull]).unwrap();
        assert_eq!(scope.with_public_pull().is_ok(), fits, "{count}");
    }
}

#[test]
fn covering_and_implied_actions() {
    let scope = |text| Scope::parse(text).unwrap();
    let held = scope("repository:acme/app:pull,push repository:acme/base:pull");
    assert!(held.covers(&scope("repository:acme/app:push")));
    assert!(held.covers(&held));
    assert!(!held.covers(&scope("repository:acme/base:push")));
    assert!(!held.covers(&scope("repository:acme/app:pull repository:acme/x:pull")));
    assert_eq!(scope("repository:acme/app:push").with_implied(), scope("repository:acme/app:pull,push"));
    assert_eq!(scope("repository:a/b:delete").with_implied(), scope("repository:a/b:pull,push,delete"));
    assert_eq!(scope("repository:a/b:pull").with_implied(), scope("repository:a/b:pull"));
    assert!(held.allows_anywhere(Action::Push) && !held.allows_anywhere(Action::Delete));
    assert_eq!(Scope::of(["acme/app"], &[Action::Pull]).unwrap(), scope("repository:acme/app:pull"));
    assert!(Scope::of([], &[Action::Pull]).is_err() && Scope::of(["acme/app"], &[]).is_err());
}

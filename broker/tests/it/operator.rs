//! What an operator's machines ask: what has the broker done, and where may they ask?

use serde_json::json;
use tokio::net::TcpListener;

use crate::stub::{Running, client, header, post_form, text};
use crate::testing::{CONFIG, Trouble, World, circleci_form};

fn get(url: &str) -> (u16, String, String) {
    let response = client().get(url).call().unwrap();
    (response.status().as_u16(), header(&response, "content-type").to_owned(), text(response))
}

/// The samples in the order of the alphabet. Two lose their numbers: the sweeper asks Docker Hub too, at its own time, and a
/// connection that the client has closed may still be counted.
fn samples(page: &str) -> Vec<&str> {
    let busy = [r#"hublease_broker_calls_total{to="docker_hub",outcome="done"}"#, "hublease_broker_connections "];
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    let mut samples: Vec<_> =
        samples.map(|line| busy.into_iter().find(|name| line.starts_with(name)).unwrap_or(line)).collect();
    samples.sort_unstable();
    samples
}

#[test]
fn metrics_tell_what_happened_in_names_and_numbers_of_ours() {
    let world = World::new(CONFIG);
    let running = Running::start(world.broker.clone());
    let exchange = |changes, more: &str| {
        let url = format!("{}/oauth/token", running.url);
        let answer = text(post_form(&url, &circleci_form(&changes, more)));
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()
    };
    let issued = exchange(json!({}), "&request_id=r1");
    exchange(json!({}), "&request_id=r1");
    exchange(json!({"oidc.circleci.com/job-id": "j2", "sub": "SENTINEL\nhublease_broker_leases 1"}), "");
    exchange(json!({"aud": "SENTINEL"}), "");
    exchange(json!({"iss": "https://SENTINEL.example"}), "");
    world.hub.trouble("POST /v2/orgs/", Trouble::Status(500, "SENTINEL"));
    exchange(json!({"oidc.circleci.com/job-id": "j3"}), "");
    let handle = issued["revocation_handle"].as_str().unwrap();
    text(post_form(&format!("{}/oauth/revoke", running.url), &format!("token={handle}")));
    let json = client().post(format!("{}/oauth/token", running.url)).header("content-type", "text/SENTINEL").send("{}");
    assert_eq!(json.unwrap().status(), 400);

    let (status, content_type, page) = get(&format!("{}/metrics", running.url));
    assert_eq!((status, content_type.as_str()), (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let expected = [
        r#"hublease_broker_build_info{version="0.1.0"} 1"#,
        r#"hublease_broker_calls_total{to="docker_hub",outcome="done"}"#,
        r#"hublease_broker_calls_total{to="docker_hub",outcome="failed"} 1"#,
        r#"hublease_broker_calls_total{to="elsewhere",outcome="done"} 2"#,
        r"hublease_broker_connections ",
        r"hublease_broker_connections_dismissed_total 0",
        r#"hublease_broker_decisions_total{event="exchange",outcome="audience_mismatch"} 1"#,
        r#"hublease_broker_decisions_total{event="exchange",outcome="hub_unavailable"} 1"#,
        r#"hublease_broker_decisions_total{event="exchange",outcome="issued"} 3"#,
        r#"hublease_broker_decisions_total{event="exchange",outcome="issuer_unknown"} 1"#,
        r#"hublease_broker_decisions_total{event="replace",outcome="confirmed"} 1"#,
        r#"hublease_broker_decisions_total{event="revoke",outcome="confirmed"} 1"#,
        r#"hublease_broker_issuer_keys_fetched_timestamp_seconds{issuer="circleci"} 1795203000"#,
        r#"hublease_broker_leases{account="acme",state="live"} 2"#,
        r#"hublease_broker_leases{account="acme",state="revoking"} 1"#,
        r"hublease_broker_requests_in_flight 0",
        r#"hublease_broker_turned_away_total{code="malformed_request"} 1"#,
    ];
    assert_eq!(samples(&page), expected);
    assert!(page.ends_with("# EOF\n") && !page.contains("SENTINEL"));
}

#[test]
fn metrics_with_an_address_of_their_own_are_nowhere_else() {
    let listener = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
    let metrics = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(listener());
    let metrics = metrics.into_std().unwrap();
    let running = Running::start_with(World::new(CONFIG).broker, |edge| {
        edge.metrics = Some(TcpListener::from_std(metrics).unwrap());
    });
    let (status, _, page) = get(&format!("{}/metrics", running.metrics_url));
    assert_eq!(status, 200);
    assert!(page.contains("hublease_broker_connections 0\n"), "who reads them is not a client: {page}");
    assert_eq!(get(&format!("{}/metrics", running.url)).0, 404);
    for path in ["/healthz", "/oauth/token", "/.well-known/oauth-authorization-server"] {
        assert_eq!(get(&format!("{}{path}", running.metrics_url)).0, 404, "{path}");
    }
}

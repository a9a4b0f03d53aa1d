//! Whether Docker Hub itself has said "no".
//!
//! What stands before it answers in its place, with any status: a proxy, a firewall, a load balancer, a portal. So a status alone
//! says nothing. Docker Hub's reference and its answers have three forms: `{detail, message}`, `{errinfo, detail, message}` and
//! `{fields, text}`. `message` alone is what gateways say, too.

use serde_json::Value;

use crate::outbound::Reply;

/// Whether the body has one of Docker Hub's own forms.
pub(crate) fn is_docker_hubs(reply: &Reply) -> bool {
    let Ok(Value::Object(body)) = serde_json::from_slice(&reply.body) else { return false };
    let has_text = |name: &str| body.get(name).is_some_and(Value::is_string);
    has_text("detail")
        || (has_text("message") && body.get("errinfo").is_some_and(Value::is_object))
        || (has_text("text") && body.get("fields").is_some_and(Value::is_object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_form() {
        for (body, is_own) in [
            (r#"{"detail":"object not found","message":"object not found"}"#, true),
            (r#"{"detail":"Not found."}"#, true),
            (r#"{"errinfo":{},"message":"object not found"}"#, true),
            (r#"{"fields":{"label":["too long"]},"text":"The request could not be validated"}"#, true),
            ("", false),
            ("<html><body>404 Not Found</body></html>", false),
            ("404 page not found", false),
            ("default backend - 404", false),
            (r#"{"message":"no Route matched with those values"}"#, false),
            (r#"{"detail":null}"#, false),
            (r#"{"error":"not_found"}"#, false),
            (r#"["detail"]"#, false),
            (r#""detail""#, false),
            (r#"{"detail":"object not f"#, false),
        ] {
            let reply = Reply { status: 404, body: body.as_bytes().to_vec(), ..Reply::default() };
            assert_eq!(is_docker_hubs(&reply), is_own, "{body}");
        }
    }
}

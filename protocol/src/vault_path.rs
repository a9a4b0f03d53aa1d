//! Paths in Vault and OpenBao.

/// A path as Vault knows them, without `v1/` and slashes at its ends: plain segments, so that it can stand in a URL and in
/// a header as it is. None for any other text.
pub fn plain_path(text: &str) -> Option<&str> {
    let path = text.trim_matches('/');
    let path = path.strip_prefix("v1/").unwrap_or(path);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@+=:,".contains(&byte);
    let is_segment =
        |segment: &str| !segment.is_empty() && !matches!(segment, "." | "..") && segment.bytes().all(is_plain);
    path.split('/').all(is_segment).then_some(path)
}

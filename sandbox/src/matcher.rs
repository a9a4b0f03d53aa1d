//! Which requests a fault or a latch is about.

use http::Request;

use crate::service::Service;

/// Which requests: a service, the beginning of the path, perhaps a method, perhaps not the first ones.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    service: Service,
    prefix: String,
    method: Option<String>,
    skip: usize,
}

impl Matcher {
    pub(crate) fn new(service: Service, prefix: &str) -> Self {
        Self { service, prefix: prefix.to_owned(), method: None, skip: 0 }
    }

    pub(crate) fn set_method(&mut self, method: &str) {
        self.method = Some(method.to_ascii_uppercase());
    }

    pub(crate) fn set_skip(&mut self, count: usize) {
        self.skip = count;
    }

    /// Whether this request is meant; counts down the ones to skip.
    pub(crate) fn takes(&mut self, service: Service, request: &Request<Vec<u8>>) -> bool {
        let method = self.method.as_deref().is_none_or(|method| method == request.method().as_str());
        if service != self.service || !method || !request.uri().path().starts_with(&self.prefix) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        true
    }
}

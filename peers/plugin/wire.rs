//! The messages that pass between the server and an engine: the fields that this one reads or writes. Others are skipped.

use prost::Message;

/// Kinds of errors, as the server numbers them.
pub const UNRECOVERABLE: u32 = 10;
pub const UNSUPPORTED_OPERATION: u32 = 5;
pub const UNSUPPORTED_PATH: u32 = 6;
const OTHER: u32 = 0;

#[derive(Clone, PartialEq, Message)]
pub struct Number {
    #[prost(uint32, tag = "1")]
    pub value: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Flag {
    #[prost(bool, tag = "1")]
    pub value: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct Text {
    #[prost(string, tag = "1")]
    pub value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Existence {
    #[prost(bool, tag = "1")]
    pub check_found: bool,
    #[prost(bool, tag = "2")]
    pub exists: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct Failure {
    #[prost(uint32, tag = "1")]
    pub kind: u32,
    #[prost(string, tag = "2")]
    pub text: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
}

/// Times in nanoseconds. Without the time of issue the server refuses the answer.
#[derive(Clone, PartialEq, Message)]
pub struct LeaseOptions {
    #[prost(int64, tag = "1")]
    pub ttl: i64,
    #[prost(message, optional, tag = "4")]
    pub issue_time: Option<Timestamp>,
    #[prost(int64, tag = "5")]
    pub max_ttl: i64,
}

/// What the server keeps with a lease, and brings back when it is revoked.
#[derive(Clone, PartialEq, Message)]
pub struct Secret {
    #[prost(message, optional, tag = "1")]
    pub lease_options: Option<LeaseOptions>,
    /// A JSON object.
    #[prost(string, tag = "2")]
    pub internal_data: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Asked {
    #[prost(string, tag = "3")]
    pub operation: String,
    /// Without the mount.
    #[prost(string, tag = "4")]
    pub path: String,
    /// A JSON object, or `null`.
    #[prost(string, tag = "5")]
    pub data: String,
    #[prost(message, optional, tag = "6")]
    pub secret: Option<Secret>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Answered {
    #[prost(message, optional, tag = "1")]
    pub secret: Option<Secret>,
    /// A JSON object.
    #[prost(string, tag = "3")]
    pub data: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Handle {
    #[prost(message, optional, tag = "2")]
    pub request: Option<Asked>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Handled {
    #[prost(message, optional, tag = "1")]
    pub response: Option<Answered>,
    #[prost(message, optional, tag = "2")]
    pub failure: Option<Failure>,
}

impl Handled {
    /// Neither data nor a failure: 204 for a write, 404 for a read.
    pub fn nothing() -> Self {
        Self::default()
    }

    pub fn with(response: Answered) -> Self {
        Self { response: Some(response), failure: None }
    }

    /// A failure that the server hands on as 500.
    pub fn failed(text: &str) -> Self {
        Self::of_kind(OTHER, text)
    }

    pub fn of_kind(kind: u32, text: &str) -> Self {
        Self { response: None, failure: Some(Failure { kind, text: text.to_owned() }) }
    }
}

//! As much of gRPC as a server's half needs: a message with its length each way, and the status behind it.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};

/// In front of each message: a byte that says whether it is compressed, and four for its length.
const HEAD: usize = 5;

/// What becomes of a call.
pub enum Reply {
    Message(Bytes),
    /// A method that is not here.
    Unknown,
}

impl Reply {
    pub fn with(message: &impl Message) -> Self {
        let mut framed = BytesMut::new();
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.encoded_len()).unwrap_or(u32::MAX));
        framed.put_slice(&message.encode_to_vec());
        Self::Message(framed.freeze())
    }

    /// A message whose fields are all as they are when nobody sets them.
    pub fn empty() -> Self {
        Self::with(&())
    }
}

/// What answers the calls of a connection.
pub trait Calls: Send + Sync {
    fn call(
        self: Arc<Self>,
        request: Request<RecvStream>,
        respond: SendResponse<Bytes>,
    ) -> impl Future<Output = ()> + Send;
}

/// Serves a connection until the other side ends it.
pub async fn serve<C: Calls + 'static>(stream: impl AsyncRead + AsyncWrite + Unpin, calls: Arc<C>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(Arc::clone(&calls).call(request, respond));
    }
}

/// The one message of a call, once everything of the call has come: one that is dropped before its end is reset.
pub async fn only_message(body: RecvStream) -> Option<Bytes> {
    let mut all = drain(body).await;
    (all.len() >= HEAD && all[0] == 0).then(|| all.split_off(HEAD).freeze())
}

/// Reads to the end.
pub async fn drain(mut body: RecvStream) -> BytesMut {
    let mut all = BytesMut::new();
    while let Some(Ok(piece)) = body.data().await {
        // It only fails when the stream is over.
        body.flow_control().release_capacity(piece.len()).ok();
        all.extend_from_slice(&piece);
    }
    all
}

/// Opens the answering half of a call that is never answered.
pub fn open(respond: &mut SendResponse<Bytes>) -> Option<SendStream<Bytes>> {
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    respond.send_response(head, false).ok()
}

/// Ends a call. Who is gone meanwhile is told nothing.
pub fn answer(mut respond: SendResponse<Bytes>, reply: Reply) {
    let Some(mut stream) = open(&mut respond) else { return };
    let status = match reply {
        Reply::Message(message) => {
            stream.send_data(message, false).ok();
            "0"
        }
        Reply::Unknown => "12",
    };
    let trailers = HeaderMap::from_iter([("grpc-status".parse().expect("a name"), HeaderValue::from_static(status))]);
    stream.send_trailers(trailers).ok();
}

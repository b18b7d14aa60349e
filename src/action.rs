//! The action that a connection requires of its transport (RFC 6455 §7.1.1).

/// What to do with the transport, once the output has been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum Action {
    /// Continue to read and write.
    Continue,
    /// Continue to read, with a deadline: the peer's Close, or for a client the end of the stream,
    /// is expected, since the server closes the transport first (RFC 6455 §7.1.1). Set the deadline
    /// once, when the action is no longer `Continue`; received data must not extend it. Close the
    /// transport when it expires. [`Deadlines`](crate::Deadlines) follows these rules.
    AwaitClose,
    /// Close the transport: the rest of the input is discarded.
    ///
    /// To ensure that the peer receives the output, shut down the sending direction, then read and
    /// discard until the stream ends, for a short time at most (§7.1.1): the system resets a socket
    /// that is closed with unread data.
    CloseTransport,
}

//! The compression contexts of a connection, one for each direction: created on first use, then
//! kept, or returned to a pool after each message.

use super::config::DeflateConfig;
use super::decompress::Inflated;
use super::params::{Params, Settings};
use super::pool::{DeflateState, InflateState};
use crate::buffer::prefix;
use crate::error::ProtocolError;
use crate::role::Role;
use alloc::boxed::Box;
use core::fmt;

/// Compresses the messages that a connection sends.
pub(crate) struct Deflater {
    config: DeflateConfig,
    params: Params,
    settings: Settings,
    state: Option<Box<DeflateState>>,
    /// Whether the caller compresses messages, and its compressor has the context.
    is_context_external: bool,
}

impl Deflater {
    pub(crate) fn new<R: Role>(config: &DeflateConfig, params: Params) -> Self {
        let direction = if R::IS_CLIENT {
            params.client
        } else {
            params.server
        };
        Self {
            config: config.clone(),
            params,
            settings: config.settings(direction),
            state: None,
            is_context_external: false,
        }
    }

    /// Returns the negotiated parameters.
    pub(crate) const fn params(&self) -> Params {
        self.params
    }

    /// Returns whether a message of this length should be compressed.
    #[inline]
    pub(crate) fn should_compress(&self, len: usize) -> bool {
        let is_useful =
            !self.settings.direction.no_context_takeover || len >= self.config.threshold();
        is_useful && !self.is_context_external
    }

    /// Returns whether later messages refer to those that were compressed here.
    pub(crate) const fn has_context(&self) -> bool {
        self.state.is_some()
    }

    /// Leaves the context, if there is one, to the caller, who has sent a message that it
    /// compressed itself.
    pub(crate) const fn leave_context(&mut self) {
        self.is_context_external = !self.settings.direction.no_context_takeover;
    }

    /// Compresses a message and passes the output to `send`, or `None` if the message should be
    /// sent uncompressed: if compression saves nothing, and no later message refers to this one.
    pub(crate) fn compress<T>(
        &mut self,
        message: &[u8],
        send: impl FnOnce(Option<&[u8]>) -> T,
    ) -> T {
        let (settings, config) = (self.settings, &self.config);
        let mut state = match self.state.take() {
            Some(state) => state,
            None => config.pool.take_deflate(settings),
        };
        state.compressor.compress(message, true, &mut state.message);
        let no_context_takeover = settings.direction.no_context_takeover;
        let is_useless = no_context_takeover && state.message.len() >= message.len();
        let sent = send(if is_useless {
            None
        } else {
            Some(&state.message)
        });
        state.clear();
        if no_context_takeover {
            config.pool.put_deflate(state);
        } else {
            self.state = Some(state);
        }
        sent
    }

    /// Frees the state, since no more messages will be sent.
    pub(crate) fn release(&mut self) {
        self.state = None;
    }
}

/// Shows neither the context nor the pool.
impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Decompresses the messages that a connection receives.
pub(crate) struct Inflater {
    config: DeflateConfig,
    no_context_takeover: bool,
    state: Option<Box<InflateState>>,
    /// The decompressed length of the current message so far.
    inflated: u64,
}

impl Inflater {
    pub(crate) fn new<R: Role>(config: &DeflateConfig, params: Params) -> Self {
        let direction = if R::IS_CLIENT {
            params.server
        } else {
            params.client
        };
        Self {
            config: config.clone(),
            no_context_takeover: direction.no_context_takeover,
            state: None,
            inflated: 0,
        }
    }

    /// Decompresses a chunk of a message block by block. Each block is passed to `next` before the
    /// following one is decompressed, with the message's length so far, which is at most `limit`.
    ///
    /// `limit` may differ from that of an earlier call for the same message. Returns the length of
    /// the message so far.
    pub(crate) fn inflate(
        &mut self,
        mut chunk: &[u8],
        is_last: bool,
        limit: u64,
        mut next: impl FnMut(&[u8], u64) -> Result<(), ProtocolError>,
    ) -> Result<u64, ProtocolError> {
        let too_long = ProtocolError::MessageTooLong {
            len: limit.saturating_add(1),
            limit,
        };
        // The limit was lowered since.
        if self.inflated > limit {
            return Err(too_long);
        }
        let no_context_takeover = self.no_context_takeover;
        let pool = &self.config.pool;
        let state = self
            .state
            .get_or_insert_with(|| pool.take_inflate(no_context_takeover));
        loop {
            let Inflated { len, done } = state
                .decompressor
                .inflate(&mut chunk, is_last, &mut state.block)
                .map_err(|_| ProtocolError::InvalidCompression)?;
            let remaining = limit.saturating_sub(self.inflated);
            let permitted = usize::try_from(remaining).unwrap_or(usize::MAX).min(len);
            self.inflated += permitted as u64;
            next(prefix(&state.block, permitted), self.inflated)?;
            if permitted < len {
                return Err(too_long);
            }
            if done {
                break;
            }
        }
        let inflated = self.inflated;
        if is_last {
            self.inflated = 0;
            if no_context_takeover {
                if let Some(state) = self.state.take() {
                    self.config.pool.put_inflate(state);
                }
            }
        }
        Ok(inflated)
    }

    /// Frees the state, since no more messages will be received.
    pub(crate) fn release(&mut self) {
        self.state = None;
    }
}

//! The compression contexts of a connection, one for each direction: created on first use, then
//! kept, or returned to a pool after each message. Most connections are idle or do not compress:
//! they hold only a pointer.

use super::compress::{Compressor, Flush};
use super::config::DeflateConfig;
use super::decompress::Decompressor;
use super::decompress::Inflated;
use super::params::{Params, Settings};
use crate::buffer::prefix;
use crate::error::ProtocolError;
use crate::role::Role;
use alloc::boxed::Box;
use core::{fmt, mem};

/// Compresses the messages that a connection sends.
pub(crate) struct Deflater(Box<Sending>);

struct Sending {
    config: DeflateConfig,
    params: Params,
    settings: Settings,
    /// Between messages there is none if no context is taken over.
    compressor: Option<Box<Compressor>>,
    /// Whether an independent message of another compressor was sent since, which is in the
    /// context of the peer. Resetting the compressor only when it is used again is cheaper.
    must_reset: bool,
    /// Whether the caller compresses messages, and its compressor has the context.
    is_context_external: bool,
}

impl Deflater {
    pub(crate) fn new<R: Role>(config: &DeflateConfig, params: Params) -> Self {
        Self(Box::new(Sending {
            config: config.clone(),
            params,
            settings: config.settings(params.sent_by::<R>()),
            compressor: None,
            must_reset: false,
            is_context_external: false,
        }))
    }

    /// Returns the negotiated parameters.
    pub(crate) const fn params(&self) -> Params {
        self.0.params
    }

    /// Returns whether a message of this length should be compressed.
    #[inline]
    pub(crate) fn should_compress(&self, len: usize) -> bool {
        let Sending {
            config, settings, ..
        } = &*self.0;
        let is_useful = !settings.direction.no_context_takeover || len >= config.threshold();
        is_useful && self.may_compress()
    }

    /// Returns whether a message may be compressed here.
    #[inline]
    pub(crate) const fn may_compress(&self) -> bool {
        !self.0.is_context_external
    }

    /// Returns the largest window for the messages that are sent, as a base-2 logarithm.
    pub(crate) const fn window_bits(&self) -> u8 {
        self.0.settings.direction.window_bits()
    }

    /// Records that a message was sent that another compressor has compressed: independently of all
    /// others, or by one that has the context from now on.
    pub(crate) fn message_was_sent(&mut self, is_independent: bool) {
        let Sending {
            compressor,
            must_reset,
            is_context_external,
            ..
        } = &mut *self.0;
        if is_independent {
            *must_reset = compressor.is_some();
        } else {
            *compressor = None;
            *is_context_external = true;
        }
    }

    /// Compresses a message or a fragment of one, flushed, and passes the output to `send`; or
    /// `None` if a complete message should be sent uncompressed, since compression saves nothing
    /// and no later message refers to this one. `fin` ends the message.
    ///
    /// If `send` fails, the peer does not receive the output, and nothing later may refer to it:
    /// the compressor forgets everything. Then the message is compressed again, in this state, so
    /// that the error is about the output of the next call.
    pub(crate) fn compress<E>(
        &mut self,
        message: &[u8],
        fin: bool,
        mut send: impl FnMut(Option<&[u8]>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Sending {
            config,
            settings,
            compressor: context,
            must_reset,
            ..
        } = &mut *self.0;
        let pool = &config.pool;
        let no_context_takeover = settings.direction.no_context_takeover;
        let flush = if fin { Flush::End } else { Flush::Sync };
        let is_in_progress = no_context_takeover && context.is_some();
        let mut compressor = match context.take() {
            Some(compressor) => compressor,
            None => pool.take_compressor(*settings),
        };
        if mem::take(must_reset) {
            compressor.reset();
        }
        let sent = pool.with_message(|compressed| {
            loop {
                let was_fresh = compressor.is_fresh();
                compressor.compress(message, flush, compressed);
                let is_useless = no_context_takeover
                    && fin
                    && !is_in_progress
                    && compressed.len() >= message.len();
                let sent = send(if is_useless { None } else { Some(compressed) });
                if sent.is_ok() {
                    break sent;
                }
                compressor.reset();
                if was_fresh {
                    break sent;
                }
                compressed.clear();
            }
        });
        let ends = if sent.is_ok() { fin } else { !is_in_progress };
        if no_context_takeover && ends {
            pool.put_compressor(compressor);
        } else {
            *context = Some(compressor);
        }
        sent
    }

    /// Frees the context, since no more messages will be sent.
    pub(crate) fn release(&mut self) {
        self.0.compressor = None;
    }
}

/// Shows neither the context nor the pool.
impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

/// Decompresses the messages that a connection receives.
pub(crate) struct Inflater(Box<Receiving>);

struct Receiving {
    config: DeflateConfig,
    no_context_takeover: bool,
    decompressor: Option<Box<Decompressor>>,
    /// The decompressed length of the current message so far.
    inflated: u64,
}

impl Inflater {
    pub(crate) fn new<R: Role>(config: &DeflateConfig, params: Params) -> Self {
        Self(Box::new(Receiving {
            config: config.clone(),
            no_context_takeover: params.received_by::<R>().no_context_takeover,
            decompressor: None,
            inflated: 0,
        }))
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
        let Receiving {
            config,
            no_context_takeover,
            decompressor: context,
            inflated,
        } = &mut *self.0;
        let too_long = ProtocolError::MessageTooLong {
            len: limit.saturating_add(1),
            limit,
        };
        // The limit was lowered since.
        if *inflated > limit {
            return Err(too_long);
        }
        let pool = &config.pool;
        let decompressor =
            context.get_or_insert_with(|| pool.take_decompressor(*no_context_takeover));
        pool.with_block(|block| {
            loop {
                let Inflated { len, done } = decompressor
                    .inflate(&mut chunk, is_last, block)
                    .map_err(|_| ProtocolError::InvalidCompression)?;
                let remaining = limit.saturating_sub(*inflated);
                let permitted = usize::try_from(remaining).unwrap_or(usize::MAX).min(len);
                *inflated += permitted as u64;
                next(prefix(block, permitted), *inflated)?;
                if permitted < len {
                    return Err(too_long);
                }
                if done {
                    return Ok(());
                }
            }
        })?;
        let len = *inflated;
        if is_last {
            *inflated = 0;
            if *no_context_takeover {
                if let Some(decompressor) = context.take() {
                    pool.put_decompressor(decompressor);
                }
            }
        }
        Ok(len)
    }

    /// Frees the context, since no more messages will be received.
    pub(crate) fn release(&mut self) {
        self.0.decompressor = None;
    }
}

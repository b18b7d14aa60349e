//! The compression contexts of a connection, one for each direction: created on first use, then
//! kept, or returned to a pool after each message. Most connections are idle or do not compress:
//! they hold only a pointer.

use super::compress::Compressor;
use super::config::DeflateConfig;
use super::decompress::Decompressor;
use super::decompress::Inflated;
use super::params::{Params, Settings};
use crate::buffer::prefix;
use crate::error::ProtocolError;
use crate::role::Role;
use alloc::boxed::Box;
use core::fmt;

/// Compresses the messages that a connection sends.
pub(crate) struct Deflater(Box<Sending>);

struct Sending {
    config: DeflateConfig,
    params: Params,
    settings: Settings,
    compressor: Option<Box<Compressor>>,
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
        Self(Box::new(Sending {
            config: config.clone(),
            params,
            settings: config.settings(direction),
            compressor: None,
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
        is_useful && !self.0.is_context_external
    }

    /// Returns whether later messages refer to those that were compressed here.
    pub(crate) const fn has_context(&self) -> bool {
        self.0.compressor.is_some()
    }

    /// Leaves the context, if there is one, to the caller, who has sent a message that it
    /// compressed itself.
    pub(crate) fn leave_context(&mut self) {
        self.0.is_context_external = !self.0.settings.direction.no_context_takeover;
    }

    /// Compresses a message and passes the output to `send`, or `None` if the message should be
    /// sent uncompressed: if compression saves nothing, and no later message refers to this one.
    pub(crate) fn compress<T>(
        &mut self,
        message: &[u8],
        send: impl FnOnce(Option<&[u8]>) -> T,
    ) -> T {
        let Sending {
            config,
            settings,
            compressor: context,
            ..
        } = &mut *self.0;
        let pool = &config.pool;
        let mut compressor = match context.take() {
            Some(compressor) => compressor,
            None => pool.take_compressor(*settings),
        };
        let no_context_takeover = settings.direction.no_context_takeover;
        let sent = pool.with_message(|compressed| {
            compressor.compress(message, true, compressed);
            let is_useless = no_context_takeover && compressed.len() >= message.len();
            send(if is_useless { None } else { Some(compressed) })
        });
        if no_context_takeover {
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
        let direction = if R::IS_CLIENT {
            params.server
        } else {
            params.client
        };
        Self(Box::new(Receiving {
            config: config.clone(),
            no_context_takeover: direction.no_context_takeover,
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

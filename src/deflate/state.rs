//! The states of a connection's two directions: made when they are first needed, and kept or handed
//! on after each message.

use super::{Compressor, Config, Decompressor, Inflated, Params, Settings};
use crate::error::ProtocolError;
use crate::role::Role;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How much is inflated at a time: what is validated, and held against the limits, before more is
/// inflated.
const BLOCK: usize = 16 << 10;

/// How many states that are not in use are kept, in each direction.
const MOST_IDLE: usize = 16;

/// How much memory for a compressed message is kept between messages.
const MOST_KEPT: usize = 64 << 10;

/// States that are not in use, shared by all connections of one [`Config`].
#[derive(Default)]
pub(super) struct Pool {
    #[expect(
        clippy::vec_box,
        reason = "states go from here to a connection and back without allocation"
    )]
    compressing: Mutex<Vec<Box<Compressing>>>,
    inflating: Mutex<Vec<Box<Inflating>>>,
}

struct Compressing {
    compressor: Compressor,
    message: Vec<u8>,
}

struct Inflating {
    decompressor: Decompressor,
    block: [u8; BLOCK],
}

/// Locks, whatever happened to whoever held the lock before: a list of idle states is never left
/// half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts a state that is not in use to the others, or drops it if there are enough.
fn put<T>(idle: &Mutex<Vec<T>>, state: T) {
    let mut idle = lock(idle);
    if idle.len() < MOST_IDLE {
        idle.push(state);
    }
}

/// What is sent.
pub(crate) struct Outbound {
    config: Config,
    settings: Settings,
    state: Option<Box<Compressing>>,
    /// Whether the context is the caller's, who compresses messages by himself.
    left: bool,
}

impl Outbound {
    pub(crate) fn new<R: Role>(config: &Config, params: Params) -> Self {
        let direction = if R::IS_CLIENT {
            params.client
        } else {
            params.server
        };
        Self {
            config: config.clone(),
            settings: config.settings(direction),
            state: None,
            left: false,
        }
    }

    /// Whether to compress a message of this length.
    #[inline]
    pub(crate) fn is_worth(&self, len: usize) -> bool {
        let gains = !self.settings.direction.no_context_takeover || len >= self.config.threshold;
        gains && !self.left
    }

    /// Whether messages refer to those that this has compressed.
    pub(crate) const fn has_context(&self) -> bool {
        self.state.is_some()
    }

    /// Leaves the context to the caller, who has sent what he has compressed, if there is one.
    pub(crate) const fn leave_context(&mut self) {
        self.left = !self.settings.direction.no_context_takeover;
    }

    /// Compresses a message, and hands it to `send`, unless it had become longer than it was and
    /// need not be sent so.
    pub(crate) fn compress<T>(
        &mut self,
        message: &[u8],
        send: impl FnOnce(Option<&[u8]>) -> T,
    ) -> T {
        let (settings, config) = (self.settings, &self.config);
        let mut state = self
            .state
            .take()
            .or_else(|| idle(config, settings))
            .unwrap_or_else(|| {
                Box::new(Compressing {
                    compressor: Compressor::new(settings),
                    message: Vec::new(),
                })
            });
        state.compressor.compress(message, true, &mut state.message);
        let no_context_takeover = settings.direction.no_context_takeover;
        let useless = no_context_takeover && state.message.len() >= message.len();
        let sent = send(if useless { None } else { Some(&state.message) });
        // In this order: a vector does not shrink below what is in it.
        state.message.clear();
        state.message.shrink_to(MOST_KEPT);
        if no_context_takeover {
            put(&config.pool.compressing, state);
        } else {
            self.state = Some(state);
        }
        sent
    }

    /// Frees the state, since no message will be sent any more.
    pub(crate) fn release(&mut self) {
        self.state = None;
    }
}

/// A compressor of the pool's that fits.
fn idle(config: &Config, settings: Settings) -> Option<Box<Compressing>> {
    if !settings.direction.no_context_takeover {
        return None;
    }
    let mut idle = lock(&config.pool.compressing);
    let at = idle
        .iter()
        .position(|state| state.compressor.settings() == settings)?;
    Some(idle.swap_remove(at))
}

/// What is received.
pub(crate) struct Inbound {
    config: Config,
    no_context_takeover: bool,
    state: Option<Box<Inflating>>,
    /// How long the current message is so far, inflated.
    inflated: u64,
}

impl Inbound {
    pub(crate) fn new<R: Role>(config: &Config, params: Params) -> Self {
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

    /// Inflates a piece of a message block by block, and hands each block to `next` before the
    /// following one is inflated, with the length of the message so far, which is never more
    /// than `limit`.
    pub(crate) fn inflate(
        &mut self,
        mut piece: &[u8],
        last: bool,
        limit: u64,
        mut next: impl FnMut(&[u8], u64) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        let no_context_takeover = self.no_context_takeover;
        let state = self.state.get_or_insert_with(|| {
            let idle = if no_context_takeover {
                lock(&self.config.pool.inflating).pop()
            } else {
                None
            };
            idle.unwrap_or_else(|| {
                Box::new(Inflating {
                    decompressor: Decompressor::new(no_context_takeover),
                    block: [0; BLOCK],
                })
            })
        });
        loop {
            let Inflated { len, done } = state
                .decompressor
                .inflate(&mut piece, last, &mut state.block)
                .map_err(|_| ProtocolError::InvalidCompression)?;
            let allowed = usize::try_from(limit - self.inflated)
                .unwrap_or(usize::MAX)
                .min(len);
            self.inflated += allowed as u64;
            next(
                state.block.get(..allowed).unwrap_or_default(),
                self.inflated,
            )?;
            if allowed < len {
                return Err(ProtocolError::MessageTooLong {
                    len: limit.saturating_add(1),
                    limit,
                });
            }
            if done {
                break;
            }
        }
        if last {
            self.inflated = 0;
            if no_context_takeover {
                if let Some(state) = self.state.take() {
                    put(&self.config.pool.inflating, state);
                }
            }
        }
        Ok(())
    }

    /// Frees the state, since no message will come any more.
    pub(crate) fn release(&mut self) {
        self.state = None;
    }
}

/// Shows nothing of its memory, nor of the memory that it shares with other connections.
impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

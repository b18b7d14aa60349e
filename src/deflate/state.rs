//! The states of a connection's two directions: made when they are first needed, and kept or handed on after each message.

use super::{Compressor, Config, Decompressor, Direction, Params};
use crate::error::ProtocolError;
use crate::role::Role;
use alloc::boxed::Box;
use alloc::vec::Vec;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How much is inflated at a time: what is validated, and held against the limits, before more is inflated.
const BLOCK: usize = 16 << 10;

/// Messages shorter than this may have any ratio.
const RATIO_FROM: u64 = 4096;

/// How many states that are not in use are kept, in each direction.
const MOST_IDLE: usize = 16;

/// How much memory for a compressed message is kept between messages.
const MOST_KEPT: usize = 64 << 10;

/// States that are not in use, shared by all connections of one [`Config`].
#[derive(Default)]
pub(super) struct Pool {
    #[expect(clippy::vec_box, reason = "states go from here to a connection and back without allocation")]
    compressing: Mutex<Vec<Box<Compressing>>>,
    inflating: Mutex<Vec<Box<Inflating>>>,
}

#[derive(Debug)]
struct Compressing {
    direction: Direction,
    compressor: Compressor,
    message: Vec<u8>,
}

#[derive(Debug)]
struct Inflating {
    decompressor: Decompressor,
    block: [u8; BLOCK],
}

/// Locks, whatever happened to whoever held the lock before: a list of idle states is never left half changed.
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
#[derive(Debug)]
pub(crate) struct Outbound {
    config: Config,
    direction: Direction,
    state: Option<Box<Compressing>>,
}

impl Outbound {
    pub(crate) fn new<R: Role>(config: &Config, params: Params) -> Self {
        let direction = if R::IS_CLIENT { params.client } else { params.server };
        Self { config: config.clone(), direction, state: None }
    }

    /// Whether a message of this length is worth compressing.
    #[inline]
    pub(crate) fn is_worth(&self, len: usize) -> bool {
        len >= self.config.threshold && len > 0
    }

    /// The longest that a message of this length can become.
    pub(crate) const fn bound(len: usize) -> usize {
        len.saturating_add(len / 8 + len / 64 + 128)
    }

    /// Compresses a message, and hands it to `send`, unless it had become longer than it was and need not be sent so.
    pub(crate) fn compress<T>(&mut self, message: &[u8], send: impl FnOnce(Option<&[u8]>) -> T) -> T {
        let (direction, config) = (self.direction, &self.config);
        let mut state = self.state.take().or_else(|| Self::idle(config, direction)).unwrap_or_else(|| {
            let compressor = Compressor::new(direction, config.level, config.mem_level);
            Box::new(Compressing { direction, compressor, message: Vec::new() })
        });
        state.message.clear();
        state.compressor.compress(message, true, &mut state.message);
        let useless = direction.no_context_takeover && state.message.len() >= message.len();
        let sent = send(if useless { None } else { Some(&state.message) });
        state.message.shrink_to(MOST_KEPT);
        if direction.no_context_takeover {
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

    /// A state of the pool's that fits.
    fn idle(config: &Config, direction: Direction) -> Option<Box<Compressing>> {
        if !direction.no_context_takeover {
            return None;
        }
        let mut idle = lock(&config.pool.compressing);
        let at = idle.iter().position(|state| state.direction == direction)?;
        Some(idle.swap_remove(at))
    }
}

/// What is received.
#[derive(Debug)]
pub(crate) struct Inbound {
    config: Config,
    no_context_takeover: bool,
    state: Option<Box<Inflating>>,
    /// How long the current message is, compressed and inflated.
    wire: u64,
    inflated: u64,
}

impl Inbound {
    pub(crate) fn new<R: Role>(config: &Config, params: Params) -> Self {
        let direction = if R::IS_CLIENT { params.server } else { params.client };
        Self { config: config.clone(), no_context_takeover: direction.no_context_takeover, state: None, wire: 0, inflated: 0 }
    }

    /// Inflates a piece of a message block by block, and hands each block to `next` before the following one is inflated.
    pub(crate) fn inflate(
        &mut self,
        mut piece: &[u8],
        last: bool,
        max_message: u64,
        mut next: impl FnMut(&[u8]) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        self.wire += piece.len() as u64;
        let most = if self.config.max_ratio == u32::MAX { u64::MAX } else { self.wire.saturating_mul(self.config.max_ratio.into()) };
        let no_context_takeover = self.no_context_takeover;
        let state = self.state.get_or_insert_with(|| {
            let idle = if no_context_takeover { lock(&self.config.pool.inflating).pop() } else { None };
            idle.unwrap_or_else(|| Box::new(Inflating { decompressor: Decompressor::new(no_context_takeover), block: [0; BLOCK] }))
        });
        loop {
            let inflated = state.decompressor.inflate(&mut piece, last, &mut state.block).map_err(|_| ProtocolError::InvalidCompression)?;
            self.inflated += inflated.len as u64;
            if self.inflated > max_message {
                return Err(ProtocolError::MessageTooLong);
            }
            if self.inflated > most.max(RATIO_FROM) {
                return Err(ProtocolError::RatioTooHigh);
            }
            next(state.block.get(..inflated.len).unwrap_or_default())?;
            if inflated.done {
                break;
            }
        }
        if last {
            (self.wire, self.inflated) = (0, 0);
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

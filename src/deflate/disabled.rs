//! Stand-ins for the types of this module while the feature `deflate` is off. They are uninhabited,
//! so callers need no `cfg`, and the compiler removes their code.

#![allow(dead_code, reason = "which of them are used depends on the features")]
#![allow(
    clippy::extra_unused_type_parameters,
    reason = "the signatures are those of the feature"
)]

use crate::error::ProtocolError;
use crate::extension::Extension;
use crate::role::Role;
use core::{convert::Infallible, fmt, marker::PhantomData};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeflateConfig {}

impl DeflateConfig {
    pub(crate) fn offer(&self) -> &str {
        match *self {}
    }

    pub(crate) fn verify<'a>(
        &self,
        _: impl IntoIterator<Item = Extension<'a>>,
    ) -> Result<Option<Params>, NegotiationError> {
        match *self {}
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Params {}

impl Params {
    pub(crate) const fn sent_by<R: Role>(self) -> Direction {
        match self {}
    }
}

/// The parameters for the messages that one endpoint sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {}

impl fmt::Display for Params {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

/// It has the variants of the error that it replaces, so that they can be matched. No value of it
/// is created.
pub(crate) enum NegotiationError {
    InvalidExtensions,
    ExtensionNotOffered,
    InvalidParameter,
}

#[derive(Debug)]
pub(crate) enum Deflater {}

impl Deflater {
    pub(crate) fn new<R: Role>(config: &DeflateConfig, _: Params) -> Self {
        match *config {}
    }

    pub(crate) const fn params(&self) -> Params {
        match *self {}
    }

    pub(crate) const fn should_compress(&self, _: usize) -> bool {
        match *self {}
    }

    pub(crate) const fn may_compress(&self) -> bool {
        match *self {}
    }

    pub(crate) const fn window_bits(&self) -> u8 {
        match *self {}
    }

    pub(crate) fn message_was_sent(&mut self, _: bool) {
        match *self {}
    }

    pub(crate) fn compress<E>(
        &mut self,
        _: &[u8],
        _: bool,
        _: impl FnMut(Option<&[u8]>) -> Result<(), E>,
    ) -> Result<(), E> {
        match *self {}
    }

    pub(crate) fn release(&mut self) {
        match *self {}
    }
}

pub(crate) enum Inflater {}

impl Inflater {
    pub(crate) fn new<R: Role>(config: &DeflateConfig, _: Params) -> Self {
        match *config {}
    }

    pub(crate) fn inflate(
        &mut self,
        _: &[u8],
        _: bool,
        _: u64,
        _: impl FnMut(&[u8], u64) -> Result<(), ProtocolError>,
    ) -> Result<u64, ProtocolError> {
        match *self {}
    }

    pub(crate) fn release(&mut self) {
        match *self {}
    }
}

/// A value for each window size.
pub(crate) struct PerWindow<T>(Infallible, PhantomData<T>);

impl<T> PerWindow<T> {
    pub(crate) fn get_or_init(
        &self,
        _: u8,
        _: &[u8],
        _: impl FnOnce(Option<&[u8]>) -> T,
    ) -> Option<&T> {
        match self.0 {}
    }

    pub(crate) fn get(&self, _: u8) -> Option<&T> {
        match self.0 {}
    }
}

impl<T> fmt::Debug for PerWindow<T> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

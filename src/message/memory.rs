//! The memory of a message that is assembled.

use crate::buffer::growth;
use crate::connection::append_masked;
use crate::frame::opcode::MessageKind;
use crate::frame::{BLOCK_SIZE, InvalidUtf8, MaskingKey, Utf8Validator};
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

/// The memory of the message in progress, or for the next one.
pub(super) enum Memory {
    /// A text so far. The start of a character may follow, which the validator keeps.
    Text(String),
    /// A binary message so far. Bytes that are initialized, and will be overwritten, may follow it.
    Bytes(Vec<u8>),
}

impl Memory {
    pub(super) const fn new() -> Self {
        Self::Bytes(Vec::new())
    }

    /// Begins a message. Only an uncompressed binary message overwrites initialized bytes.
    pub(super) fn begin(&mut self, kind: MessageKind, compressed: bool) {
        let mut bytes = self.take_bytes(usize::MAX);
        if kind == MessageKind::Text || compressed {
            bytes.clear();
        }
        *self = match kind {
            MessageKind::Text => Self::Text(String::from_utf8(bytes).unwrap_or_default()),
            MessageKind::Binary => Self::Bytes(bytes),
        };
    }

    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Text(text) => text.capacity(),
            Self::Bytes(bytes) => bytes.capacity(),
        }
    }

    /// Returns the number of bytes that can be appended without more memory, or fewer.
    #[inline]
    pub(super) fn spare(&self) -> usize {
        match self {
            // If a character is completed, it is appended with its first bytes.
            Self::Text(text) => (text.capacity() - text.len()).saturating_sub(3),
            Self::Bytes(bytes) => bytes.capacity() - bytes.len(),
        }
    }

    /// Appends `byte` to a message of `len` bytes. Text is validated.
    #[inline]
    pub(super) fn push(
        &mut self,
        len: usize,
        byte: u8,
        utf8: &mut Utf8Validator,
    ) -> Result<(), InvalidUtf8> {
        match self {
            Self::Text(text) if byte.is_ascii() && utf8.is_between() => text.push(byte.into()),
            Self::Bytes(bytes) if bytes.len() == len => bytes.push(byte),
            _ => return self.append(len, &[byte], utf8),
        }
        Ok(())
    }

    /// Allocates memory for a message of `needed` bytes. The buffer grows by [`growth`], to at
    /// most `most` bytes.
    pub(super) fn reserve(&mut self, needed: usize, most: usize) {
        match self {
            Self::Text(text) => {
                text.reserve_exact(growth(text.len(), text.capacity(), needed, most));
            }
            Self::Bytes(bytes) => {
                bytes.reserve_exact(growth(bytes.len(), bytes.capacity(), needed, most));
            }
        }
    }

    /// Adds `added` to a message of `len` bytes. Text is validated.
    #[inline]
    pub(super) fn append(
        &mut self,
        len: usize,
        added: &[u8],
        utf8: &mut Utf8Validator,
    ) -> Result<(), InvalidUtf8> {
        match self {
            Self::Text(text) => {
                let (completed, valid) = utf8.feed(added)?;
                text.extend(completed);
                text.push_str(valid);
            }
            Self::Bytes(bytes) => match bytes.get_mut(len..len + added.len()) {
                Some(place) => place.copy_from_slice(added),
                None => {
                    bytes.truncate(len);
                    bytes.extend_from_slice(added);
                }
            },
        }
        Ok(())
    }

    /// Unmasks `added` into a binary message of `len` bytes.
    pub(super) fn append_masked(&mut self, len: usize, added: &[u8], key: MaskingKey) {
        if let Self::Bytes(bytes) = self {
            match bytes.get_mut(len..len + added.len()) {
                Some(place) => key.apply_into(added, place),
                None => {
                    bytes.truncate(len);
                    append_masked(key, added, bytes);
                }
            }
        }
    }

    /// Returns the place of the next `left` bytes of a binary message of which `received` bytes are
    /// there.
    ///
    /// Memory that is full grows by as much as was received, or a block, to at most `most` bytes: a
    /// place may be shorter than `left`.
    pub(super) fn place(&mut self, received: usize, left: usize, most: usize) -> &mut [u8] {
        if let Self::Bytes(bytes) = self {
            let len = match bytes.capacity().saturating_sub(received) {
                0 => received.max(BLOCK_SIZE),
                free => free,
            };
            let end = received.saturating_add(len.min(left));
            bytes.reserve_exact(growth(bytes.len(), bytes.capacity(), end, most));
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
        }
        self.filled_place(received, left)
    }

    /// Returns the initialized bytes from `received` on, at most `len`.
    pub(super) fn filled_place(&mut self, received: usize, len: usize) -> &mut [u8] {
        let Self::Bytes(bytes) = self else {
            return &mut [];
        };
        let end = received.saturating_add(len).min(bytes.len());
        bytes.get_mut(received..end).unwrap_or_default()
    }

    /// Takes a binary message of `len` bytes.
    pub(super) fn take_bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = match mem::replace(self, Self::new()) {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
        };
        bytes.truncate(len);
        bytes
    }

    /// Takes a text.
    pub(super) fn take_text(&mut self) -> String {
        match mem::replace(self, Self::new()) {
            Self::Text(text) => text,
            Self::Bytes(_) => String::new(),
        }
    }
}

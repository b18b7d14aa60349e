//! Byte buffers: small tools that every layer uses, and that know nothing about WebSocket.

use core::{fmt, mem, ops::Deref};

/// Up to `N` bytes, at most 255, that are stored in place. `Debug` does not show them.
#[derive(Clone, Copy)]
pub(crate) struct InlineBytes<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

impl<const N: usize> InlineBytes<N> {
    pub(crate) const fn new() -> Self {
        const { assert!(N <= u8::MAX as usize, "the length must fit a byte") };
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    // Without the bounds check that the slice would need.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends `bytes`, which must fit.
    #[inline]
    pub(crate) fn push_slice(&mut self, bytes: &[u8]) {
        let start = usize::from(self.len);
        let place = self.bytes.get_mut(start..start + bytes.len());
        debug_assert!(place.is_some(), "{} bytes do not fit", bytes.len());
        if let Some(place) = place {
            place.copy_from_slice(bytes);
            self.len += bytes.len() as u8;
        }
    }

    /// Appends `bytes`, which must fit. The length is a constant, so that this is a store.
    #[inline]
    pub(crate) fn push<const M: usize>(&mut self, bytes: [u8; M]) {
        let place = self
            .bytes
            .get_mut(self.len.into()..)
            .and_then(|rest| rest.first_chunk_mut());
        debug_assert!(place.is_some(), "{M} bytes do not fit");
        if let Some(place) = place {
            *place = bytes;
            self.len += M as u8;
        }
    }
}

#[cfg(feature = "handshake")]
impl<const N: usize> InlineBytes<N> {
    /// Appends a number in decimal, which must fit. The code is smaller than that of `fmt`.
    pub(crate) fn push_decimal(&mut self, number: usize) {
        let start = self.len();
        let mut rest = number;
        loop {
            self.push([b'0' + (rest % 10) as u8]);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let end = self.len();
        self.bytes.get_mut(start..end).unwrap_or_default().reverse();
    }
}

impl<const N: usize> Deref for InlineBytes<N> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        prefix(&self.bytes, self.len.into())
    }
}

impl<const N: usize> PartialEq for InlineBytes<N> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<const N: usize> Eq for InlineBytes<N> {}

impl<const N: usize> fmt::Debug for InlineBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InlineBytes")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// Fails, without appending, if the text does not fit.
impl<const N: usize> fmt::Write for InlineBytes<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() > N - self.len() {
            return Err(fmt::Error);
        }
        self.push_slice(text.as_bytes());
        Ok(())
    }
}

/// Returns the first `len` bytes, which must exist.
#[inline]
pub(crate) fn prefix(bytes: &[u8], len: usize) -> &[u8] {
    debug_assert!(len <= bytes.len());
    bytes.get(..len).unwrap_or_default()
}

/// Returns the bytes from `start` on, which must not exceed the length.
#[inline]
pub(crate) fn suffix(bytes: &[u8], start: usize) -> &[u8] {
    debug_assert!(start <= bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// Returns the bytes from `start` on, which must not exceed the length.
#[cfg(feature = "deflate")]
#[inline]
pub(crate) fn suffix_mut(bytes: &mut [u8], start: usize) -> &mut [u8] {
    debug_assert!(start <= bytes.len());
    bytes.get_mut(start..).unwrap_or_default()
}

/// Returns the value of at least one decimal digit and nothing else, unless it is too large. The
/// code is smaller than that of `str::parse`.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    let value = digits.iter().try_fold(0, |value: u64, byte| {
        let digit = byte.wrapping_sub(b'0');
        let shifted = value.checked_mul(10).filter(|_| digit < 10)?;
        shifted.checked_add(digit.into())
    });
    value.filter(|_| !digits.is_empty())
}

/// Removes `len` bytes from the front of `input`, or all of it if it is shorter, and returns them.
#[inline]
pub(crate) fn take_front<'b>(input: &mut &'b mut [u8], len: usize) -> &'b mut [u8] {
    let len = len.min(input.len());
    let (front, rest) = mem::take(input).split_at_mut(len);
    *input = rest;
    front
}

/// Returns the number of bytes by which a buffer of `len` bytes must grow to hold `needed`: 0 if
/// its capacity suffices.
///
/// The capacity at least doubles, from at least 64 bytes on, so that a byte is moved a bounded
/// number of times, but it does not exceed `most` unless `needed` does.
#[cfg(feature = "alloc")]
#[inline]
pub(crate) fn growth(len: usize, capacity: usize, needed: usize, most: usize) -> usize {
    /// Less would soon be too little, and allocators hardly divide memory further.
    const LEAST: usize = 64;

    if needed <= capacity {
        0
    } else {
        let capacity = capacity.saturating_mul(2).max(LEAST).min(most);
        capacity.max(needed) - len
    }
}

//! The primitives of jute: big-endian numbers, lengths before bytes, −1 for null.

use super::WireError;

/// The longest frame of a client by default (`jute.maxbuffer`). Servers let a string or buffer be as long again
/// (`jute.maxbuffer.extrasize`), for what a frame becomes on its way.
pub const JUTE_MAXBUFFER: usize = 0xf_ffff;

/// Reads primitives from bytes.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    limit: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, in which no string or buffer is longer than `limit`.
    pub fn new(bytes: &'a [u8], limit: usize) -> Reader<'a> {
        Reader { bytes, at: 0, limit }
    }

    /// Reads `bytes` that are there whole: who took them in has bounded them, and with them all that they contain.
    pub fn whole(bytes: &'a [u8]) -> Reader<'a> {
        Reader::new(bytes, bytes.len())
    }

    /// How far it has read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// So many bytes.
    pub fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], WireError> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(WireError::End { at: self.bytes.len(), what })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], WireError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    /// A boolean; whatever is not 0 is true.
    pub fn boolean(&mut self, what: &'static str) -> Result<bool, WireError> {
        Ok(self.array::<1>(what)?[0] != 0)
    }

    /// An `int`.
    pub fn i32(&mut self, what: &'static str) -> Result<i32, WireError> {
        Ok(i32::from_be_bytes(self.array(what)?))
    }

    /// A `long`.
    pub fn i64(&mut self, what: &'static str) -> Result<i64, WireError> {
        Ok(i64::from_be_bytes(self.array(what)?))
    }

    /// A buffer; `None` is null.
    pub fn buffer(&mut self, what: &'static str) -> Result<Option<&'a [u8]>, WireError> {
        let at = self.at;
        let length = self.i32(what)?;
        match usize::try_from(length) {
            Ok(count) if count <= self.limit => self.take(count, what).map(Some),
            Err(_) if length == -1 => Ok(None),
            _ => Err(WireError::Length { at, what, length: length.into(), limit: self.limit }),
        }
    }

    /// A string; `None` is null. Surrogates that were written one by one, as Java does, are put together; what is no text is
    /// replaced, and up to three times as long then.
    pub fn text_or_null(&mut self, what: &'static str) -> Result<Option<String>, WireError> {
        Ok(self.buffer(what)?.map(|bytes| match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => mended(bytes),
        }))
    }

    /// A string that must be there.
    pub fn text(&mut self, what: &'static str) -> Result<String, WireError> {
        let at = self.at;
        self.text_or_null(what)?.ok_or(WireError::Null { at, what })
    }

    /// A vector; `None` is null. Each entry takes at least `least` bytes, so a count that cannot be is refused before anything is
    /// allocated.
    pub fn vector<T>(
        &mut self,
        what: &'static str,
        least: usize,
        mut entry: impl FnMut(&mut Reader<'a>) -> Result<T, WireError>,
    ) -> Result<Option<Vec<T>>, WireError> {
        let at = self.at;
        let length = self.i32(what)?;
        let most = self.remaining() / least;
        let count = match usize::try_from(length) {
            Ok(count) if count <= most => count,
            Ok(_) => return Err(WireError::End { at: self.bytes.len(), what }),
            Err(_) if length == -1 => return Ok(None),
            Err(_) => return Err(WireError::Length { at, what, length: length.into(), limit: most }),
        };
        (0..count).map(|_| entry(self)).collect::<Result<Vec<T>, WireError>>().map(Some)
    }
}

/// Text that is not UTF-8, as Java reads it (`new String(bytes, UTF_8)`), but for characters beyond the first plane that stand as two
/// surrogates of three bytes each: Java writes those, and does not read them.
fn mended(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Err(error) = std::str::from_utf8(rest) {
        let (good, bad) = rest.split_at(error.valid_up_to());
        text.push_str(&String::from_utf8_lossy(good));
        let (character, length) = match *bad {
            [0xed, a @ 0xa0..=0xaf, b @ 0x80..=0xbf, 0xed, c @ 0xb0..=0xbf, d @ 0x80..=0xbf, ..] => {
                let half = |high: u8, low: u8| u32::from(high & 0xf) << 6 | u32::from(low & 0x3f);
                (char::from_u32(0x1_0000 + (half(a, b) << 10) + half(c, d)), 6)
            }
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => (None, 3),
            [0xed, 0xa0..=0xbf, ..] => (None, 2),
            // Without a length, it is cut off by the end.
            _ => (None, error.error_len().unwrap_or(bad.len())),
        };
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = &bad[length..];
    }
    text.push_str(&String::from_utf8_lossy(rest));
    text
}

/// Writes primitives.
#[derive(Debug)]
pub struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Appends to `bytes`.
    pub fn new(bytes: &'a mut Vec<u8>) -> Writer<'a> {
        Writer { bytes }
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) {
        self.bytes.push(value.into());
    }

    /// An `int`.
    pub fn i32(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    /// A `long`.
    pub fn i64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    /// A length or count.
    pub fn length(&mut self, length: usize) {
        self.i32(i32::try_from(length).expect("nothing here is longer than 2 GiB"));
    }

    /// A buffer.
    pub fn buffer(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.raw(bytes);
    }

    /// A buffer that may be null.
    pub fn buffer_or_null(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.buffer(bytes),
            None => self.i32(-1),
        }
    }

    /// A string.
    pub fn text(&mut self, text: &str) {
        self.buffer(text.as_bytes());
    }

    /// A string that may be null.
    pub fn text_or_null(&mut self, text: Option<&str>) {
        self.buffer_or_null(text.map(str::as_bytes));
    }

    /// A vector.
    pub fn vector<T>(&mut self, entries: &[T], mut entry: impl FnMut(&mut Writer<'_>, &T)) {
        self.length(entries.len());
        entries.iter().for_each(|one| entry(self, one));
    }

    /// A buffer whose content is written by `content`: its length is filled in afterwards.
    pub fn nested(&mut self, content: impl FnOnce(&mut Writer<'_>)) {
        let at = self.bytes.len();
        self.i32(0);
        content(self);
        let length = i32::try_from(self.bytes.len() - at - 4).expect("nothing here is longer than 2 GiB");
        self.bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
}

//! How the text of a CSV is written: UTF-8, or GB18030 (and so GBK), which Excel writes on Chinese Windows. GB18030 is turned into
//! UTF-8 while the file is read, in little memory; text that is neither ends the reading at its row.

use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::{Decoder, DecoderResult, GB18030};

/// What an error about an encoding recommends.
pub(super) const KNOWN: &str = "UTF-8 | GB18030";

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 16 * 1024;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    #[default]
    Utf8,
    Gb18030,
}

impl Encoding {
    /// What text is that was found not to be UTF-8: GB18030, unless whole lines of Chinese in UTF-8 stand before the fault.
    pub fn of_other(input: impl Read) -> io::Result<Self> {
        let mut input = BufReader::new(input);
        let mut line = Vec::new();
        while input
            .by_ref()
            .take(u64::from(u16::MAX))
            .read_until(b'\n', &mut line)?
            > 0
        {
            match std::str::from_utf8(&line) {
                Ok(text) if text.chars().any(is_chinese) => return Ok(Self::Utf8),
                Ok(_) => line.clear(),
                Err(_) => return Ok(Self::Gb18030),
            }
        }
        Ok(Self::Utf8)
    }
}

/// A character that takes three bytes in UTF-8; no line of GB18030 is by chance made of these. A byte order mark tells nothing.
fn is_chinese(character: char) -> bool {
    character >= '\u{2e80}' && character != '\u{feff}'
}

/// A byte sequence that GB18030 does not have.
#[derive(Debug, thiserror::Error)]
#[error("the text is not GB18030")]
pub(super) struct Undecodable;

/// Yields UTF-8 whatever the file is written in.
pub(super) struct Decoding<R> {
    input: R,
    /// None for UTF-8, which passes.
    decoder: Option<Decoder>,
    /// Decoded, from `taken` on not yet read.
    text: Vec<u8>,
    taken: usize,
    is_broken: bool,
    is_over: bool,
}

impl<R> std::fmt::Debug for Decoding<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoding").finish_non_exhaustive()
    }
}

impl<R: Read> Decoding<R> {
    pub(super) fn new(input: R, encoding: Encoding) -> Self {
        let decoder = match encoding {
            Encoding::Utf8 => None,
            Encoding::Gb18030 => Some(GB18030.new_decoder_without_bom_handling()),
        };
        Self {
            input,
            decoder,
            text: Vec::new(),
            taken: 0,
            is_broken: false,
            is_over: false,
        }
    }

    pub(super) fn input(&self) -> &R {
        &self.input
    }

    fn waiting(&self) -> &[u8] {
        self.text.get(self.taken..).unwrap_or_default()
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else {
            return self.input.read(buffer);
        };
        while self.text.len() == self.taken && !self.is_over {
            if self.is_broken {
                return Err(io::Error::new(io::ErrorKind::InvalidData, Undecodable));
            }
            let mut bytes = [0; CHUNK_BYTES];
            let count = self.input.read(&mut bytes)?;
            let bytes = bytes.get(..count).unwrap_or_default();
            let most = decoder.max_utf8_buffer_length_without_replacement(count);
            self.text.resize(most.unwrap_or_default(), 0);
            let (result, _, written) =
                decoder.decode_to_utf8_without_replacement(bytes, &mut self.text, count == 0);
            self.text.truncate(written);
            self.taken = 0;
            // What stands before the fault is read first, so that the fault is told at its row.
            self.is_broken = !matches!(result, DecoderResult::InputEmpty);
            self.is_over = count == 0 && !self.is_broken;
        }
        let count = self.waiting().read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        let mut decoding = Decoding::new(bytes, Encoding::Gb18030);
        decoding.read_to_string(&mut text).map(|_| text)
    }

    proptest! {
        #[test]
        fn every_text_comes_out_of_gb18030_as_it_went_in(text in ".{0,200}", times in 1_usize..300) {
            // Private characters have no code of their own in every edition.
            prop_assume!(!text.chars().any(|c| ('\u{e000}'..='\u{f8ff}').contains(&c)));
            let text = text.repeat(times);
            let bytes = GB18030.encode(&text).0.into_owned();
            prop_assert_eq!(decoded(&bytes).unwrap(), text);
        }
    }

    #[test]
    fn what_stands_before_a_fault_is_read() {
        let mut bytes = GB18030.encode("燕赵\n").0.into_owned();
        bytes.extend([0xff, b'\n']);
        let mut decoding = Decoding::new(&bytes[..], Encoding::Gb18030);
        let mut read = [0; 100];
        let count = decoding.read(&mut read).unwrap();
        assert_eq!(&read[..count], "燕赵\n".as_bytes());
        assert!(decoding.read(&mut read).is_err());
        // Cut in the middle of a character.
        let bytes = GB18030.encode("燕赵").0.into_owned();
        assert!(decoded(&bytes[..3]).is_err());
    }

    #[test]
    fn a_wrong_byte_in_utf_8_makes_no_gb18030() {
        let gb = |text: &str| GB18030.encode(text).0.into_owned();
        let of = |bytes: &[u8]| Encoding::of_other(bytes).unwrap();
        assert_eq!(of(&gb("a,b\n燕赵理工大学,1\n")), Encoding::Gb18030);
        let mut broken = "a,b\n燕赵理工大学,1\n".as_bytes().to_vec();
        broken.extend(b"\xff,1\n");
        assert_eq!(of(&broken), Encoding::Utf8);
    }
}

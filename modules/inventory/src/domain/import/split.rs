//! Cuts a stream of bytes into CSV records (RFC 4180), holding one record at a time.

use csv_core::{ReadRecordResult, Reader};

/// The longest record, in bytes without quotes: more is most likely a quote that never closes.
pub(crate) const MAX_RECORD_BYTES: usize = 65_536;
/// Cells of one record at most.
pub(crate) const MAX_CELLS: usize = 200;

/// One record as it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The line on which it begins; the first line is 1.
    pub(crate) line: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Record {
    /// The cells, trimmed. `None` when they are not UTF-8.
    pub(crate) fn cells(&self) -> Option<Vec<&str>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(self.ends.iter().copied())
            .map(|(start, end)| {
                let cell = self.text.get(start..end)?;
                std::str::from_utf8(cell).ok().map(str::trim)
            })
            .collect()
    }
}

/// A record is longer than [`MAX_RECORD_BYTES`] or has more than [`MAX_CELLS`] cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the record that begins on line {line} is longer than 65,536 bytes or has more than 200 \
     cells: most likely a quote is not closed"
)]
pub(crate) struct TooLong {
    /// Where it begins.
    pub(crate) line: u64,
}

/// Takes the file in chunks of any size.
pub(crate) struct Splitter {
    reader: Reader,
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    /// Nothing of the next record was seen yet.
    between: bool,
    record_line: u64,
    line: u64,
}

impl Splitter {
    pub(crate) fn new() -> Self {
        Self {
            reader: Reader::new(),
            text: vec![0; MAX_RECORD_BYTES],
            text_len: 0,
            ends: vec![0; MAX_CELLS],
            ends_len: 0,
            between: true,
            record_line: 1,
            line: 1,
        }
    }

    /// Adds the records that `chunk` completes to `records`.
    pub(crate) fn push(
        &mut self,
        mut chunk: &[u8],
        records: &mut Vec<Record>,
    ) -> Result<(), TooLong> {
        while !chunk.is_empty() {
            // Between records line breaks are skipped here, so that a record's first line is known.
            if self.between
                && let Some((first, rest)) = chunk.split_first()
                && matches!(first, b'\r' | b'\n')
            {
                self.line += u64::from(*first == b'\n');
                chunk = rest;
                continue;
            }
            let read = self.step(chunk, records)?;
            chunk = chunk.get(read..).unwrap_or_default();
        }
        Ok(())
    }

    /// The file ends here: its last record may lack a line break.
    pub(crate) fn finish(&mut self, records: &mut Vec<Record>) -> Result<(), TooLong> {
        if !self.between {
            self.step(&[], records)?;
        }
        Ok(())
    }

    fn step(&mut self, chunk: &[u8], records: &mut Vec<Record>) -> Result<usize, TooLong> {
        if self.between {
            self.record_line = self.line;
            self.between = false;
        }
        let too_long = TooLong {
            line: self.record_line,
        };
        let text = self.text.get_mut(self.text_len..).ok_or(too_long)?;
        let ends = self.ends.get_mut(self.ends_len..).ok_or(too_long)?;
        let (result, read, written, ended) = self.reader.read_record(chunk, text, ends);
        self.text_len += written;
        self.ends_len += ended;
        let lines = chunk.iter().take(read).filter(|b| **b == b'\n').count();
        self.line += u64::try_from(lines).unwrap_or(0);
        match result {
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                return Err(too_long);
            }
            ReadRecordResult::Record => {
                records.push(Record {
                    line: self.record_line,
                    text: self.text.iter().take(self.text_len).copied().collect(),
                    ends: self.ends.iter().take(self.ends_len).copied().collect(),
                });
                (self.text_len, self.ends_len, self.between) = (0, 0, true);
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &[u8], chunk: usize) -> Vec<(u64, Vec<String>)> {
        let (mut splitter, mut records) = (Splitter::new(), Vec::new());
        for part in text.chunks(chunk) {
            splitter.push(part, &mut records).unwrap();
        }
        splitter.finish(&mut records).unwrap();
        let cells = |r: &Record| r.cells().unwrap().iter().map(ToString::to_string).collect();
        records.iter().map(|r| (r.line, cells(r))).collect()
    }

    #[test]
    fn records_are_the_same_however_the_bytes_arrive() {
        let text = "\u{feff}a,b\r\n1,\"x\ny \"\"q\"\"\"\r\n\r\n2,=1+1\n,\n3,z".as_bytes();
        let expected = vec![
            (1, vec!["a".to_owned(), "b".to_owned()]),
            (2, vec!["1".to_owned(), "x\ny \"q\"".to_owned()]),
            (5, vec!["2".to_owned(), "=1+1".to_owned()]),
            (6, vec![String::new(), String::new()]),
            (7, vec!["3".to_owned(), "z".to_owned()]),
        ];
        // A byte order mark is only known as one when it arrives whole.
        for chunk in 3..text.len() {
            assert_eq!(split(text, chunk), expected, "chunks of {chunk}");
        }
        assert_eq!(split(b"a\nb\n", 1).len(), 2);
        assert!(split(b"", 1).is_empty());
    }

    #[test]
    fn a_quote_that_never_closes_is_found_in_bounded_memory() {
        let (mut splitter, mut records) = (Splitter::new(), Vec::new());
        splitter.push(b"a,b\n1,\"", &mut records).unwrap();
        let found = (0..100).find_map(|_| splitter.push(&[b'x'; 4096], &mut records).err());
        assert_eq!(found, Some(TooLong { line: 2 }));
        assert_eq!(records.len(), 1);
    }

    #[test]
    fn what_is_not_utf8_is_noticed() {
        let (mut splitter, mut records) = (Splitter::new(), Vec::new());
        splitter.push(b"a,\xff\n", &mut records).unwrap();
        assert!(records[0].cells().is_none());
    }
}

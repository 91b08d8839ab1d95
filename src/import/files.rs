//! Opens the chain's CSV files, compressed or not, and finds their columns.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use csv::{Reader, ReaderBuilder, StringRecord};
use flate2::read::MultiGzDecoder;

use crate::operator::Failure;

/// A CSV file with a header.
pub(super) struct Table {
    pub(super) reader: Reader<Box<dyn Read + Send>>,
    header: StringRecord,
    path: String,
}

impl Table {
    /// Opens `name` in `folder`; with `.gz` it is unpacked while it is read.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, Failure> {
        let path = folder.join(name);
        let shown = path.display().to_string();
        let file = File::open(&path).map_err(|e| format!("{shown}: {e}"))?;
        let file = BufReader::with_capacity(1 << 16, file);
        let bytes: Box<dyn Read + Send> = if name.ends_with(".gz") {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        let mut reader = ReaderBuilder::new().from_reader(bytes);
        let header = reader
            .headers()
            .map_err(|e| format!("{shown}: {e}"))?
            .clone();
        Ok(Self {
            reader,
            header,
            path: shown,
        })
    }

    /// Where the column stands.
    pub(super) fn column(&self, name: &str) -> Result<usize, Failure> {
        let found = self.header.iter().position(|column| column.trim() == name);
        found.ok_or_else(|| format!("{} has no column {name}", self.path).into())
    }

    /// Says in which file something is wrong.
    pub(super) fn failure(&self, cause: impl std::fmt::Display) -> Failure {
        format!("{}: {cause}", self.path).into()
    }
}

/// The field at `column`, without spaces around it; empty where the record ends before.
pub(super) fn field(record: &StringRecord, column: usize) -> &str {
    record.get(column).unwrap_or_default().trim()
}

//! Spans as a Parquet file.

use std::fs::File;
use std::sync::Arc;

use llmtrace::SpanRecord;
use parquet::basic::{Compression, GzipLevel, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriterImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::flat::{COLUMNS, Cell, Holds, cells};

/// A Parquet file that is being written.
#[derive(Debug)]
pub(super) struct ParquetFile {
    writer: SerializedFileWriter<File>,
    rows: Vec<[Cell; COLUMNS.len()]>,
    bytes: usize,
}

/// Rows of a group, at most.
const GROUP_ROWS: usize = 50_000;

/// Bytes of texts of a group, save for the last row.
const GROUP_BYTES: usize = 32 << 20;

impl ParquetFile {
    pub(super) fn new(file: File) -> Result<Self, String> {
        let properties = WriterProperties::builder().set_compression(Compression::GZIP(GzipLevel::default()));
        let schema = schema().map_err(said)?;
        let writer = SerializedFileWriter::new(file, schema, Arc::new(properties.build())).map_err(said)?;
        Ok(Self { writer, rows: Vec::new(), bytes: 0 })
    }

    /// Adds a span.
    pub(super) fn add(&mut self, span: &SpanRecord) -> Result<(), String> {
        let row = cells(span);
        let text = |cell: &Cell| if let Cell::Text(Some(text)) = cell { text.len() } else { 0 };
        self.bytes += row.iter().map(text).sum::<usize>();
        self.rows.push(row);
        if self.rows.len() >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write().map_err(said)?;
        }
        Ok(())
    }

    /// Writes what is left, and the end of the file.
    pub(super) fn finish(mut self) -> Result<(), String> {
        self.write().map_err(said)?;
        self.writer.close().map(drop).map_err(said)
    }

    fn write(&mut self) -> Result<(), ParquetError> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        if rows.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for (place, (_, holds)) in COLUMNS.iter().enumerate() {
            let Some(mut column) = group.next_column()? else { break };
            let of_column = rows.iter().filter_map(|row| row.get(place));
            match holds {
                Holds::Text | Holds::Json => {
                    let text = |cell: &Cell| match cell {
                        Cell::Text(text) => text.as_deref().map(ByteArray::from),
                        _ => None,
                    };
                    fill(column.typed::<ByteArrayType>(), of_column.map(text))?;
                }
                Holds::Count | Holds::Time => {
                    let int = |cell: &Cell| if let Cell::Int(int) = cell { *int } else { None };
                    fill(column.typed::<Int64Type>(), of_column.map(int))?;
                }
                Holds::Float => {
                    let float = |cell: &Cell| if let Cell::Float(float) = cell { *float } else { None };
                    fill(column.typed::<DoubleType>(), of_column.map(float))?;
                }
            }
            column.close()?;
        }
        group.close().map(drop)
    }
}

/// Writes the cells of a column; those that are absent by their level.
fn fill<T: DataType>(
    column: &mut ColumnWriterImpl<'_, T>,
    cells: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        levels.push(i16::from(cell.is_some()));
        values.extend(cell);
    }
    column.write_batch(&values, Some(&levels), None).map(drop)
}

fn schema() -> Result<TypePtr, ParquetError> {
    let column = |(name, holds): &(&str, Holds)| {
        let (physical, logical) = match holds {
            Holds::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Holds::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
            Holds::Count => (Physical::INT64, None),
            Holds::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
            Holds::Float => (Physical::DOUBLE, None),
        };
        let column = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        column.build().map(Arc::new)
    };
    let columns = COLUMNS.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("span").with_fields(columns).build().map(Arc::new)
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::Field;

    use super::*;
    use crate::store::tests::support::trace;

    #[test]
    fn the_rows_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spans.parquet");
        let spans: Vec<SpanRecord> =
            (0..40).flat_map(|number| trace(&mut Rng::with_seed(number), number)).collect();
        let mut file = ParquetFile::new(File::create(&path).unwrap()).unwrap();
        for span in &spans {
            file.add(span).unwrap();
            if span.status.is_error() {
                file.write().unwrap();
            }
        }
        file.finish().unwrap();
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        assert!(reader.num_row_groups() > 1);
        let mut count = 0;
        for (row, span) in reader.get_row_iter(None).unwrap().zip(&spans) {
            let row = row.unwrap();
            let names: Vec<_> = row.get_column_iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, COLUMNS.map(|(name, _)| name));
            for ((name, field), cell) in row.get_column_iter().zip(cells(span)) {
                let read = match field {
                    Field::Null => None,
                    Field::Str(text) => Some(text.clone()),
                    Field::Long(int) => Some(int.to_string()),
                    Field::Double(float) => Some(float.to_string()),
                    other => panic!("{name}: {other:?}"),
                };
                let expected = match cell {
                    Cell::Text(text) => text,
                    Cell::Int(int) => int.map(|int| int.to_string()),
                    Cell::Float(float) => float.map(|float| float.to_string()),
                };
                assert_eq!(read, expected, "{name}");
            }
            count += 1;
        }
        assert_eq!(count, spans.len());
    }
}

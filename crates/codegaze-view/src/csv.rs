//! One row for each lexeme or line, for spreadsheets and data frames.

use std::io::{self, Write};

use ::csv::Writer;

use super::{AnalyzedDocument, Granularity};

/// The header row. `start` and `end` are UTF-8 byte offsets; `line` and `column` count from 1, `column` in characters.
pub const COLUMNS: [&str; 11] = [
    "path", "start", "end", "line", "column", "text", "kind", "share", "lift", "rank", "level",
];

/// The header row of a table of lines. `line` counts from 1.
pub const LINE_COLUMNS: [&str; 5] = ["path", "line", "share", "lift", "level"];

/// Writes one table over several documents. Text is exact, and quoted as RFC 4180 requires.
pub struct CsvWriter<W: Write> {
    writer: Writer<W>,
    granularity: Granularity,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header row.
    ///
    /// # Errors
    /// The errors of `w`.
    pub fn new(w: W, granularity: Granularity) -> io::Result<Self> {
        let mut writer = Writer::from_writer(w);
        match granularity {
            Granularity::Lexemes => writer.write_record(COLUMNS),
            Granularity::Lines => writer.write_record(LINE_COLUMNS),
        }
        .map_err(io_error)?;
        Ok(Self {
            writer,
            granularity,
        })
    }

    /// Writes a document's lexemes, or lines, in the order of the text.
    ///
    /// # Errors
    /// The errors of `w`.
    pub fn write(&mut self, document: &AnalyzedDocument<'_>) -> io::Result<()> {
        match self.granularity {
            Granularity::Lexemes => self.write_lexemes(document),
            Granularity::Lines => self.write_lines(document),
        }
        .map_err(io_error)?;
        self.writer.flush()
    }

    fn write_lexemes(&mut self, document: &AnalyzedDocument<'_>) -> ::csv::Result<()> {
        for (lexeme, level) in document.lexemes() {
            let (line, column) = document.place(lexeme.span.start);
            self.writer.write_record([
                document.name,
                &lexeme.span.start.to_string(),
                &lexeme.span.end.to_string(),
                &line.to_string(),
                &column.to_string(),
                document.slice(lexeme.span),
                lexeme.kind.as_str(),
                &lexeme.share.to_string(),
                &lexeme.lift.to_string(),
                &lexeme.rank.to_string(),
                &level.get().to_string(),
            ])?;
        }
        Ok(())
    }

    fn write_lines(&mut self, document: &AnalyzedDocument<'_>) -> ::csv::Result<()> {
        for (line, level) in document.scored_lines() {
            self.writer.write_record([
                document.name,
                &(line.line + 1).to_string(),
                &line.share.to_string(),
                &line.lift.to_string(),
                &level.get().to_string(),
            ])?;
        }
        Ok(())
    }
}

/// The writer's own error, with its kind: a closed pipe must be told apart.
pub(super) fn io_error(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use codegaze_text::document::Document;

    use super::*;
    use crate::samples;

    #[test]
    fn an_error_of_the_output_keeps_its_kind() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        // More rows than the writer's buffer holds.
        let text = "a = 1\n".repeat(2000);
        let analysis = samples::analysis(&text);
        let source = Document::new(text.as_str(), 0);
        let document = AnalyzedDocument::new("a.py", &source, &analysis);
        let mut writer = CsvWriter::new(Closed, Granularity::Lexemes).unwrap();
        let error = writer.write(&document).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn rows_read_back_exactly() {
        let text = "a = \"x,y\"\n=cmd(日本, '\u{1f642}')";
        let analysis = samples::analysis(text);
        let source = Document::new(text, 0);
        let document = AnalyzedDocument::new("dir,1/a \"b\".py", &source, &analysis);
        let mut out = Vec::new();
        CsvWriter::new(&mut out, Granularity::Lexemes)
            .unwrap()
            .write(&document)
            .unwrap();

        let mut reader = ::csv::Reader::from_reader(out.as_slice());
        assert_eq!(reader.headers().unwrap(), &COLUMNS[..]);
        let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), analysis.lexemes.len());
        for (row, lexeme) in rows.iter().zip(&analysis.lexemes) {
            assert_eq!(&row[0], document.name);
            assert_eq!(&row[5], lexeme.span.of(text));
            assert_eq!(row[7].parse(), Ok(lexeme.share));
        }
        let japanese = rows.iter().find(|row| &row[5] == "日本").unwrap();
        assert_eq!((&japanese[3], &japanese[4]), ("2", "6"));
    }
}

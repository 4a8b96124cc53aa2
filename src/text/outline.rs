use super::ByteSpan;
use super::line_index::LineIndex;
#[derive(Clone, Debug)]
pub struct Definition {
    pub span: ByteSpan,
    pub name: ByteSpan,
}
pub fn outline(_: &str, _: &LineIndex) -> Vec<Definition> {
    Vec::new()
}

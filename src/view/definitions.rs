use super::AnalysedDocument;
use crate::text::outline::Definition;
pub struct Lens {
    pub definition: Definition,
    pub title: String,
}
pub struct Hint {
    pub line: u32,
    pub label: String,
    pub tooltip: String,
}
pub fn definition_lenses(_: &AnalysedDocument<'_>, _: &[Definition]) -> Vec<Lens> {
    Vec::new()
}
pub fn line_hints(_: &AnalysedDocument<'_>) -> Vec<Hint> {
    Vec::new()
}

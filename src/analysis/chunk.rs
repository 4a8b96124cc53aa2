//! temporary
use crate::text::ByteSpan;
use crate::text::line_index::LineIndex;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub span: ByteSpan,
    pub core: ByteSpan,
}
impl Chunk {
    pub fn core_in_span(&self) -> ByteSpan {
        ByteSpan::new(
            self.core.start - self.span.start,
            self.core.end - self.span.start,
        )
    }
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkConfig {
    pub max_subwords: usize,
}
impl ChunkConfig {
    pub fn for_max_tokens(n: usize) -> Self {
        Self {
            max_subwords: n - 2,
        }
    }
}
pub fn plan(
    text: &str,
    index: &LineIndex,
    count: &mut dyn FnMut(&str) -> usize,
    config: &ChunkConfig,
) -> Vec<Chunk> {
    let mut v = vec![];
    let mut start = 0;
    let mut n = 0;
    for l in 0..index.n_lines() {
        let s = index.line_span(l);
        let c = count(s.of(text));
        if n + c > config.max_subwords - 8 && n > 0 {
            let sp = ByteSpan::new(start, s.start);
            v.push(Chunk { span: sp, core: sp });
            start = s.start;
            n = 0;
        }
        n += c;
    }
    if start < text.len() {
        let sp = ByteSpan::new(start, text.len());
        v.push(Chunk { span: sp, core: sp });
    }
    v
}

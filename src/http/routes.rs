//! REST, one file for each kind of request.

pub(crate) mod analyze;
pub(crate) mod ask;
pub(crate) mod attention;
pub(crate) mod chunks;
pub(crate) mod explain;
pub(crate) mod info;
pub(crate) mod raw;
pub(crate) mod source;
pub(crate) mod stages;

#[cfg(test)]
mod tests;

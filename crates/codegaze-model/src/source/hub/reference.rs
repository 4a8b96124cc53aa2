//! A model of the hub.

/// The branch that is used without a revision.
pub(super) const DEFAULT_REVISION: &str = "main";

/// A revision of a model on the hub, as the user names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ModelRef<'a> {
    /// `owner/name`
    pub id: &'a str,
    /// A branch, tag or commit.
    pub revision: &'a str,
}

impl<'a> ModelRef<'a> {
    pub fn new(id: &'a str, revision: Option<&'a str>) -> Self {
        Self {
            id,
            revision: revision.unwrap_or(DEFAULT_REVISION),
        }
    }

    /// The same for hf-hub, which builds the paths in the cache and in URLs.
    pub fn repo(self) -> hf_hub::Repo {
        hf_hub::Repo::with_revision(
            self.id.to_owned(),
            hf_hub::RepoType::Model,
            self.revision.to_owned(),
        )
    }
}

impl std::fmt::Display for ModelRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)?;
        if self.revision != DEFAULT_REVISION {
            write!(f, "@{}", self.revision)?;
        }
        Ok(())
    }
}

//! Starts `codegaze lsp --stdio` for Zed, from the settings or from `PATH`.

use zed_extension_api::settings::LspSettings;
use zed_extension_api::{
    self as zed, Command, Extension, LanguageServerId, Result, Worktree, serde_json,
};

const SERVER: &str = "codegaze";

struct Codegaze;

impl Extension for Codegaze {
    fn new() -> Self {
        Self
    }

    fn language_server_command(
        &mut self,
        _id: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Command> {
        let binary = LspSettings::for_worktree(SERVER, worktree)?.binary;
        let (path, args) = binary.map_or((None, None), |binary| (binary.path, binary.arguments));
        let command = path.or_else(|| worktree.which(SERVER)).ok_or(
            "`codegaze` is not in PATH: install it, or set lsp.codegaze.binary.path in the settings",
        )?;
        Ok(Command {
            command,
            args: args.unwrap_or_else(|| vec!["lsp".to_owned(), "--stdio".to_owned()]),
            env: worktree.shell_env(),
        })
    }

    fn language_server_initialization_options(
        &mut self,
        _id: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<serde_json::Value>> {
        Ok(LspSettings::for_worktree(SERVER, worktree)?.initialization_options)
    }

    fn language_server_workspace_configuration(
        &mut self,
        _id: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<serde_json::Value>> {
        let settings = LspSettings::for_worktree(SERVER, worktree)?.settings;
        Ok(settings.map(|settings| serde_json::json!({ SERVER: settings })))
    }
}

zed::register_extension!(Codegaze);

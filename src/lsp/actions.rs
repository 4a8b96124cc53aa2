//! Code actions: the heatmap of the definition at the cursor, and other views. They are offered when the user asks for code
//! actions, not for the light bulb that follows the cursor.

use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{
    CodeAction, CodeActionOrCommand, CodeActionParams, CodeActionTriggerKind, Command,
};

use super::commands::{CommandName, client_command};
use super::features::ACTION_KIND;
use super::session::{Session, Snapshot};
use crate::attribution::{HeadFusion, Method};
use crate::engine::ModelAndView;
use crate::off_thread::off_thread;
use crate::text::ByteSpan;
use crate::view::live::definition_at;

pub(crate) async fn actions(
    session: &Session,
    snapshot: &Snapshot,
    params: &CodeActionParams,
) -> Result<Option<Vec<CodeActionOrCommand>>> {
    let only = params.context.only.as_ref();
    let is_wanted = only.map_or(
        params.context.trigger_kind != Some(CodeActionTriggerKind::AUTOMATIC),
        |only| only.iter().any(|kind| includes(kind.as_str())),
    );
    if !is_wanted {
        return Ok(None);
    }
    let place = snapshot.positions().span(params.range);
    let current = session.model_and_view();
    let snapshot = snapshot.clone();
    let actions = move || {
        let mut commands = heatmap_commands(&snapshot, place);
        if let Some(current) = current {
            commands.extend(view_commands(&snapshot, &current));
        }
        let is_literal = snapshot.caps.code_action_literals;
        let actions = commands
            .into_iter()
            .map(|command| action(command, is_literal));
        Ok(Some(actions.collect()))
    };
    off_thread(actions).await
}

fn action(command: Command, is_literal: bool) -> CodeActionOrCommand {
    if is_literal {
        CodeActionOrCommand::CodeAction(CodeAction {
            title: command.title.clone(),
            kind: Some(ACTION_KIND),
            command: Some(command),
            ..CodeAction::default()
        })
    } else {
        CodeActionOrCommand::Command(command)
    }
}

/// Kinds are a hierarchy: `a` includes `a.b`.
fn includes(requested: &str) -> bool {
    let ours = ACTION_KIND;
    let ours = ours.as_str();
    requested.is_empty() || ours == requested || ours.starts_with(&format!("{requested}."))
}

/// Opens the heatmap of a part of the document, in the client's own panel if it has one, otherwise as a file.
pub(crate) fn show_heatmap(snapshot: &Snapshot, title: String, part: ByteSpan) -> Command {
    let range = snapshot.positions().range(part);
    let uri = &snapshot.uri;
    if snapshot.settings.runs(client_command::SHOW_HEATMAP) {
        let arguments = json!({ "uri": uri, "range": range });
        return command(client_command::SHOW_HEATMAP, title, arguments);
    }
    let arguments = json!({ "uri": uri, "range": range, "format": "html", "open": true });
    command(CommandName::Heatmap.as_str(), title, arguments)
}

fn heatmap_commands(snapshot: &Snapshot, place: ByteSpan) -> Vec<Command> {
    let text = snapshot.document.text();
    let (what, part) = match definition_at(&snapshot.document, place.start) {
        Some(definition) => (definition.name.of(text).to_owned(), definition.span),
        None => ("this place".to_owned(), place),
    };
    let range = snapshot.positions().range(part);
    let uri = &snapshot.uri;
    let mut commands = vec![show_heatmap(
        snapshot,
        format!("Attention: show the heatmap of {what}"),
        part,
    )];
    let title = format!("Attention: export the heatmap of {what}");
    commands.push(if snapshot.settings.runs(client_command::EXPORT_HEATMAP) {
        let arguments = json!({ "uri": uri, "range": range });
        command(client_command::EXPORT_HEATMAP, title, arguments)
    } else {
        let arguments = json!({ "uri": uri, "range": range, "format": "svg", "open": true });
        command(CommandName::Heatmap.as_str(), title, arguments)
    });
    commands
}

fn view_commands(snapshot: &Snapshot, current: &ModelAndView) -> Vec<Command> {
    let info = current.model.info();
    let view = &current.config.attribution;
    let set = |title: String, options: Value| {
        command(
            CommandName::SetView.as_str(),
            format!("Attention: {title}"),
            options,
        )
    };
    let mut commands = Vec::new();
    if snapshot.settings.runs(client_command::SELECT_VIEW) {
        let title = "Attention: choose method, layers, heads".to_owned();
        commands.push(command(client_command::SELECT_VIEW, title, Value::Null));
    }
    if let [layer] = view.layers[..] {
        if layer + 1 < info.n_layers {
            let next = layer + 1;
            commands.push(set(
                format!("layer {next} instead of {layer}"),
                json!({ "layers": next }),
            ));
        }
        if let Some(before) = layer.checked_sub(1) {
            commands.push(set(
                format!("layer {before} instead of {layer}"),
                json!({ "layers": before }),
            ));
        }
        commands.push(set("all layers".to_owned(), json!({ "layers": "all" })));
    } else {
        commands.push(set(
            "the last layer".to_owned(),
            json!({ "layers": "last" }),
        ));
    }
    match &view.heads {
        HeadFusion::Heads(heads) => {
            let next = heads.last().map_or(0, |last| (last + 1) % info.n_heads);
            commands.push(set(format!("head {next}"), json!({ "heads": next })));
            commands.push(set("all heads".to_owned(), json!({ "heads": "mean" })));
        }
        HeadFusion::All(_) => commands.push(set("head 0 alone".to_owned(), json!({ "heads": 0 }))),
    }
    for method in Method::ALL {
        if method != view.method {
            let title = format!("method {method} instead of {}", view.method);
            commands.push(set(title, json!({ "method": method.as_str() })));
        }
    }
    commands
}

fn command(name: &str, title: String, argument: Value) -> Command {
    Command {
        title,
        command: name.to_owned(),
        arguments: (!argument.is_null()).then(|| vec![argument]),
    }
}

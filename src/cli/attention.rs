//! `codegaze attention`: writes raw tensors to a file.

use std::io;
use std::sync::atomic::AtomicBool;

use anyhow::anyhow;

use super::args::AttentionArgs;
use super::error::CliError;
use super::files::Input;
use super::{models, output};
use crate::analysis::chunk::ChunkConfig;
use crate::analysis::raw::{RawChoice, RawHeads, raw_attention};
use crate::analysis::{Pass, plan_chunks};
use crate::view::tensors::{TensorFormat, write_tensors};

pub(super) fn run(args: &AttentionArgs) -> Result<(), CliError> {
    let extension = args.out.extension().and_then(|e| e.to_str()).unwrap_or("");
    let format = TensorFormat::from_extension(extension).ok_or_else(|| {
        CliError::usage(anyhow!(
            "{}: unknown format; give a name that ends in .safetensors, .npz or .json",
            args.out.display()
        ))
    })?;
    output::check_not_input(&args.out, &args.file)?;
    let input = Input::from_path(&args.file);
    let document = input.read(args.input.max_bytes).map_err(CliError::failed)?;
    let model = models::load(&args.model)?;
    let info = model.info();
    let layers = args
        .layers
        .resolve(info.n_layers)
        .map_err(CliError::usage)?;
    let heads = RawHeads::resolve(args.heads.0.as_ref(), info.n_heads).map_err(CliError::usage)?;
    let chunks = plan_chunks(
        &model,
        &document,
        &ChunkConfig::new(info.max_code_subwords()),
    );
    let chunk = chunks
        .get(args.chunk)
        .ok_or_else(|| no_chunk(&input, args.chunk, chunks.len()))?;
    let cancel = AtomicBool::new(false);
    let choice = RawChoice {
        layers,
        heads,
        hidden_states: args.hidden_states,
    };
    let pass = Pass::new(&model, chunk.span.of(document.text()), &cancel);
    let raw = raw_attention(pass, chunk, choice).map_err(CliError::failed)?;
    let layers: Vec<String> = raw.layers.iter().map(ToString::to_string).collect();
    let metadata = [
        ("model", info.id.clone()),
        ("revision", info.revision.clone().unwrap_or_default()),
        ("path", input.name()),
        ("chunk", format!("{} of {}", args.chunk, chunks.len())),
        ("layers", layers.join(",")),
        ("heads", raw.heads.to_string()),
    ];
    output::to_file(&args.out, |out| {
        write_tensors(&raw, &metadata, format, out).map_err(io::Error::other)
    })
}

/// The error for a chunk that the file does not have.
pub(super) fn no_chunk(input: &Input, wanted: usize, n_chunks: usize) -> CliError {
    let name = input.name();
    if n_chunks == 0 {
        CliError::failed(anyhow!("{name}: the file is empty; name a file with text"))
    } else {
        CliError::usage(anyhow!(
            "{name}: chunk {wanted} is out of range: the file has {n_chunks}, counted 0 to {}",
            n_chunks - 1
        ))
    }
}

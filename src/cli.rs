//! The command line parses arguments, checks them against the model, and runs commands. It computes nothing itself.

mod analyze;
mod args;
mod attention;
mod error;
mod files;
mod heatmap;
mod lsp;
mod models;
mod output;
mod predict;
mod progress;
mod serve;
mod signals;
mod terminal;
#[cfg_attr(not(feature = "mlflow"), path = "cli/no_tracking.rs")]
mod tracking;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Arguments, Command};
use error::CliError;

/// Runs the program: arguments → logs on stderr → command → exit code (0 done; 1 something failed; 2 bad usage).
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(fault) = init_logs(&arguments) {
        fault.report();
        return fault.exit_code();
    }
    let success = |()| ExitCode::SUCCESS;
    let done = match arguments.command {
        Command::Analyze(args) => analyze::run(&args).map(success),
        Command::Predict(args) => predict::run(&args).map(success),
        Command::Attention(args) => attention::run(&args).map(success),
        Command::Heatmap(args) => heatmap::run(&args).map(success),
        Command::Lsp(args) => lsp::run_server(&args),
        Command::Serve(args) => serve::run(args).map(success),
        Command::Models(args) => models::run(args).map(success),
        Command::Completions { shell } => {
            let mut buffer = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "codegaze", &mut buffer);
            output::to_stdout(&buffer).map(success)
        }
        Command::Man => man_page()
            .and_then(|page| output::to_stdout(&page))
            .map(success),
    };
    match done {
        Ok(code) => code,
        Err(fault) if fault.is_closed_pipe() => ExitCode::SUCCESS,
        Err(fault) => {
            fault.report();
            fault.exit_code()
        }
    }
}

/// Starts logging to stderr, or to the file that the server's arguments name. stdout is for results and for the protocol.
fn init_logs(arguments: &Arguments) -> Result<(), CliError> {
    let level = match arguments.verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        2 => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    };
    if let Command::Lsp(args) = &arguments.command {
        let file = args.log_file.as_deref();
        return crate::lsp::init_logs(level, file).map_err(|source| CliError::Output {
            target: file.map_or_else(|| "the log".to_owned(), |file| file.display().to_string()),
            source,
        });
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .with_ansi(false)
        .with_span_events(if arguments.verbose > 0 {
            tracing_subscriber::fmt::format::FmtSpan::CLOSE
        } else {
            tracing_subscriber::fmt::format::FmtSpan::NONE
        })
        .init();
    Ok(())
}

/// One page for all commands, so that `man` needs one file.
fn man_page() -> Result<Vec<u8>, CliError> {
    let mut page = Vec::new();
    let mut command = Arguments::command();
    command.build();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(CliError::stdout)?;
    for subcommand in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        let man = clap_mangen::Man::new(subcommand.clone());
        writeln!(page, ".SH COMMAND: codegaze {}", subcommand.get_name())
            .map_err(CliError::stdout)?;
        man.render_description_section(&mut page)
            .and_then(|()| man.render_options_section(&mut page))
            .map_err(CliError::stdout)?;
    }
    Ok(page)
}

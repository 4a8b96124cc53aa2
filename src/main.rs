use std::process::ExitCode;

fn main() -> ExitCode {
    codegaze::cli::main()
}

//! `comptoir`: see `comptoir --help`.

use std::process::ExitCode;

use clap::Parser;
use comptoir::{cli::Cli, commands};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match actix_web::rt::System::new().block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(failure) => {
            // The last word of a command goes to the terminal, whatever the log settings are.
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "comptoir: {failure}");
            ExitCode::FAILURE
        }
    }
}

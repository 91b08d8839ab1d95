//! Starts a server and holds it until it is killed: `hold DATA_DIR owned|detached`.
//!
//! Prints the server's process number, the folder of its programs and its URL, one a line.

use std::env;
use std::error::Error;
use std::io::{Write, stdout};

use embedded_postgres::{Lifetime, Options, Postgres};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut options = Options::new(arguments.next().ok_or("which data directory?")?);
    options.durable = false;
    if arguments.next().as_deref() == Some("detached") {
        options.lifetime = Lifetime::Detached;
    }
    let postgres = Postgres::start(&options).map_err(|error| error.to_string())?;
    let mut out = stdout();
    writeln!(out, "{}", postgres.pid())?;
    writeln!(out, "{}", postgres.bin_dir().display())?;
    writeln!(out, "{}", postgres.url("postgres"))?;
    out.flush()?;
    loop {
        std::thread::park();
    }
}

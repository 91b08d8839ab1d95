//! `databases NAME…`: an empty database for each name on a private cluster, one URL a line, until
//! standard input ends. For tests that are not written in Rust.
//!
//! The cluster is a durable one, because the product in production mode refuses any other.

use std::{
    error::Error,
    fs,
    io::{self, Read},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use embedded_postgres::{Options, Postgres};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = testkit::scratch("databases");
    let postgres = Postgres::start(&Options::new(folder.clone()))?;
    let mut server = PgConnection::establish(&postgres.url("postgres"))?;
    for name in std::env::args().skip(1) {
        server.batch_execute(&format!("CREATE DATABASE \"{name}\""))?;
        println!("{}", postgres.url(&name));
    }
    drop(server);
    io::stdin().read_to_end(&mut Vec::new())?;
    drop(postgres);
    Ok(fs::remove_dir_all(folder)?)
}

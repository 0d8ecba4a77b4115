//! Under construction.
#[derive(Debug, clap::Args)]
/// Args.
pub struct DemoArgs {}
/// Run.
pub fn run(_: &DemoArgs) -> u8 { 1 }

//! `otel-genai completions`: what shells need to complete our commands.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::exit::Failure;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai completions bash > ~/.local/share/bash-completion/completions/otel-genai
  otel-genai completions zsh  > \"${fpath[1]}/_otel-genai\"
  otel-genai completions fish > ~/.config/fish/completions/otel-genai.fish")]
pub(super) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::Cli::command(), "otel-genai", &mut script);
        super::print(&String::from_utf8_lossy(&script));
        Ok(0)
    }
}

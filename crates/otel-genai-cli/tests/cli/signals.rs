//! Signals reach the program once, and the launcher ends as the program does.

use std::os::unix::process::CommandExt as _;
use std::time::{Duration, Instant};

use crate::support::{Running, Server, otel_genai, run, silent};

/// Tells each signal as it comes. After the first it waits for a second one, as long as a doubled one could take.
const TELLS: &str = r#"
seen=
for name in HUP INT QUIT TERM USR1 USR2; do trap "seen=\"\$seen \$(echo $name)\"" $name; done
echo ready
while [ -z "$seen" ]; do sleep 0.05; done
sleep 0.2
echo "got$seen"
exit 5
"#;

#[test]
fn a_signal_to_the_launcher_reaches_the_program_once() {
    for name in ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2"] {
        let mut running = Running::start(silent(&["run", "--", "sh", "-c", TELLS]));
        assert_eq!(running.line(), "ready");
        running.signal(name);
        let told = running.end();
        assert_eq!(
            (told.code, told.out.as_str(), told.err.as_str()),
            (5, format!("got {name}\n").as_str(), "")
        );
    }
}

#[test]
fn a_program_that_dies_of_it_is_told_as_by_a_shell() {
    let mut running = Running::start(silent(&["run", "--", "sh", "-c", "echo ready; exec sleep 60"]));
    assert_eq!(running.line(), "ready");
    running.signal("TERM");
    assert_eq!(running.end().code, 128 + 15);
}

#[test]
fn what_is_ignored_stays_ignored() {
    // As under nohup: the signal must not end the program only because we caught it.
    let script = format!(
        "trap '' HUP; exec '{}' run -- sh -c 'kill -HUP $$; echo alive'",
        env!("CARGO_BIN_EXE_otel-genai")
    );
    let mut shell = silent(&[]);
    shell = {
        let mut command = std::process::Command::new("sh");
        command.arg("-c").arg(script).envs(shell.get_envs().filter_map(|(key, value)| Some((key, value?))));
        command
    };
    let told = run(shell);
    assert_eq!((told.code, told.out.as_str()), (0, "alive\n"), "{told:?}");
}

#[test]
fn the_program_stays_in_the_launchers_process_group() {
    // Otherwise a terminal's ^C would not reach it.
    let mut command =
        silent(&["run", "--", "sh", "-c", "ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat"]);
    command.process_group(0);
    let mut running = Running::start(command);
    assert_eq!(running.line().trim(), running.child.id().to_string());
}

#[test]
fn a_signal_during_the_last_export_ends_it() {
    // A receiver that takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let model = Server::start("200 OK", crate::support::ANSWER);
    let mut command =
        otel_genai(&["run", "--flush-timeout", "60", "--endpoint", &endpoint, "--", "sh", "-c"]);
    command.arg("echo $OPENAI_BASE_URL; read _").env("OPENAI_BASE_URL", model.base_url());
    command.stdin(std::process::Stdio::piped());
    let mut running = Running::start(command);
    let base = running.line();
    crate::support::post(&base, "/chat/completions", crate::support::QUESTION);
    drop(running.child.stdin.take());
    let began = Instant::now();
    // Signals of the first moment are taken for the program's; so it is sent until it works.
    while running.child.try_wait().unwrap().is_none() {
        running.signal("INT");
        std::thread::sleep(Duration::from_millis(50));
        assert!(began.elapsed() < Duration::from_secs(30), "it does not end");
    }
    let told = running.end();
    assert!(told.err.contains("interrupted"), "{told:?}");
}

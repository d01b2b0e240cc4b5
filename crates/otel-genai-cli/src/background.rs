//! Telemetry runs behind the traffic: its threads get the processor that forwarding leaves over.

use std::panic::resume_unwind;
use std::thread;

/// How far telemetry's threads stand back (`man 2 setpriority`). On a busy machine they fall behind, and what they
/// cannot keep up with is dropped and counted, rather than slowing the calls themselves.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Runs `start` so that all threads it starts have a lower priority. (On Linux a thread inherits its priority from the
/// one that starts it; elsewhere priorities are left as they are.)
pub(crate) fn in_background<T: Send>(start: impl FnOnce() -> T + Send) -> T {
    let started = thread::scope(|scope| {
        let lowered = scope.spawn(|| {
            #[cfg(target_os = "linux")]
            // Refused at worst; then telemetry competes like everybody else.
            let _ = rustix::process::setpriority_process(None, NICE);
            start()
        });
        lowered.join()
    });
    started.unwrap_or_else(|panic| resume_unwind(panic))
}

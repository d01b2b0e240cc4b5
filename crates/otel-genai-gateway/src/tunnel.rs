//! Connections that stopped being HTTP: bytes are carried both ways, unobserved, until one side is done.

use hyper::rt::{Read, Write};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

use crate::gateway::Phase;

/// Between two connections that spoke HTTP.
pub(crate) async fn carry(client: OnUpgrade, upstream: OnUpgrade, phase: watch::Receiver<Phase>) {
    let carried = async {
        let (client, upstream) = tokio::try_join!(client, upstream).ok()?;
        copy(client, upstream).await
    };
    until_stopped(carried, phase).await;
}

/// Between one that did and one that never will.
pub(crate) async fn carry_to<U>(client: OnUpgrade, upstream: U, phase: watch::Receiver<Phase>)
where
    U: Read + Write + Unpin,
{
    let carried = async { copy(client.await.ok()?, upstream).await };
    until_stopped(carried, phase).await;
}

async fn copy(client: impl Read + Write + Unpin, upstream: impl Read + Write + Unpin) -> Option<(u64, u64)> {
    let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
    tokio::io::copy_bidirectional(&mut client, &mut upstream).await.ok()
}

async fn until_stopped<T>(carried: impl Future<Output = T>, mut phase: watch::Receiver<Phase>) {
    tokio::select! {
        // Either end may vanish at any time; the other then sees its connection closed, which is all there is to say.
        _ = carried => {}
        _ = phase.wait_for(|phase| *phase == Phase::Stopped) => {}
    }
}

//! Connections that stopped being HTTP: bytes are carried both ways, unobserved, until one side is done.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

use crate::gateway::Phase;

pub(crate) async fn carry(client: OnUpgrade, upstream: OnUpgrade, mut phase: watch::Receiver<Phase>) {
    let carried = async {
        let (client, upstream) = tokio::try_join!(client, upstream).ok()?;
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        tokio::io::copy_bidirectional(&mut client, &mut upstream).await.ok()
    };
    tokio::select! {
        // Either end may vanish at any time; the other then sees its connection closed, which is all there is to say.
        _ = carried => {}
        _ = phase.wait_for(|phase| *phase == Phase::Stopped) => {}
    }
}

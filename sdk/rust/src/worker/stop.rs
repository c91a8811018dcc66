use tokio_util::sync::CancellationToken;

/// How a worker is told to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Take no more tasks, let handlers finish.
    pub gentle: CancellationToken,
    /// Wait no longer.
    pub hurry: CancellationToken,
}

/// SIGTERM and SIGINT (Ctrl-C) stop gently; a second one ends the wait.
#[cfg(unix)]
pub async fn on_signals(stop: Stop) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    for token in [stop.gentle, stop.hurry] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    }
    Ok(())
}

/// Ctrl-C stops gently; a second one ends the wait.
#[cfg(not(unix))]
pub async fn on_signals(stop: Stop) -> std::io::Result<()> {
    for token in [stop.gentle, stop.hurry] {
        tokio::signal::ctrl_c().await?;
        token.cancel();
    }
    Ok(())
}

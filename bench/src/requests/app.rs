use std::{future::Future, net::SocketAddr};

use axum::{Router, serve::ListenerExt as _};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

use crate::{cpu::APP_THREAD, outcome::Outcome};

/// A web application on threads of its own, so that its processor time is known.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    runtime: Option<Runtime>,
}

impl App {
    /// Serves on a port of the loopback. What the router is made with, its connections to the database
    /// among it, lives on the application's threads too.
    pub(crate) async fn start<F>(router: F) -> Outcome<Self>
    where
        F: Future<Output = Outcome<Router>> + Send + 'static,
    {
        let runtime = Builder::new_multi_thread()
            .thread_name(APP_THREAD)
            .enable_all()
            .build()?;
        let serving = runtime.spawn(async move {
            let router = router.await?;
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let listener = listener.tap_io(|connection| {
                let _ = connection.set_nodelay(true);
            });
            tokio::spawn(axum::serve(listener, router).into_future());
            Outcome::Ok(address)
        });
        let app = |address| Self {
            address,
            runtime: Some(runtime),
        };
        Ok(app(serving.await??))
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

//! What a dashboard is made of.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use otel_genai_store::{PriceTable, Store};
use tokio::net::TcpListener;

use crate::changes::Changeable;
use crate::http::{Guard, Token};
use crate::references::Folders;
use crate::serve::{Dashboard, Doors};
use crate::shared::{Settings, Shared};
use crate::view::{Durability, Variable};

/// Describes a [`Dashboard`].
#[must_use]
pub struct DashboardBuilder {
    store: Arc<dyn Store>,
    page: SocketAddr,
    http: Option<SocketAddr>,
    grpc: Option<SocketAddr>,
    token: Option<String>,
    hosts: Vec<String>,
    origins: Vec<String>,
    settings: Settings,
    prices: Option<Arc<PriceTable>>,
    references: Folders,
}

/// Which of a dashboard's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Door {
    /// The page and what it asks.
    Page,
    /// OTLP over HTTP, and the page as well.
    Http,
    /// OTLP over gRPC.
    Grpc,
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page => "the page",
            Self::Http => "OTLP over HTTP",
            Self::Grpc => "OTLP over gRPC",
        })
    }
}

/// Why a dashboard could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address is taken, or not one of this machine's.
    #[error("cannot listen on {address} for {door}: {source}; choose another port, or 0 for a free one")]
    Listen {
        /// What for.
        door: Door,
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A token that cannot be sent in a header.
    #[error("the token is empty or has characters other than letters, digits and -._~+/=")]
    Token,
    /// Pages of all origins may send, and a token is needed to send.
    #[error("pages of any origin (*) cannot be let in where a token is asked for; name the origins")]
    AnyOrigin,
    /// What is no origin.
    #[error("{0:?} is no origin: those read like https://example.com or http://localhost:3000")]
    Origin(String),
    /// The system gave no random bytes for a token.
    #[error("the system gave no random bytes for a token; set one")]
    Random,
}

impl DashboardBuilder {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            store,
            page: local(18888),
            http: Some(local(4318)),
            grpc: Some(local(4317)),
            token: None,
            hosts: Vec::new(),
            origins: Vec::new(),
            settings: Settings::default(),
            prices: None,
            references: Folders::default(),
        }
    }

    /// Where the page is served. By default `127.0.0.1:18888`; port 0 lets the system choose.
    pub fn page(mut self, address: SocketAddr) -> Self {
        self.page = address;
        self
    }

    /// Where OTLP over HTTP is received, or `None` for nowhere. By default `127.0.0.1:4318`.
    pub fn http(mut self, address: Option<SocketAddr>) -> Self {
        self.http = address;
        self
    }

    /// Where OTLP over gRPC is received, or `None` for nowhere. By default `127.0.0.1:4317`.
    pub fn grpc(mut self, address: Option<SocketAddr>) -> Self {
        self.grpc = address;
        self
    }

    /// The token that everybody must know. By default none is asked for where all addresses are loopback ones, and one
    /// is made up otherwise: see [`Dashboard::token`].
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Another name by which browsers may reach the page, such as `dashboard.example`. Names that nobody allowed are
    /// refused, or any page could point its own name here and read everything.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// An origin whose pages may send OTLP, such as `http://localhost:3000`; `*` for any, without a token only.
    pub fn cors_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// A folder whose files are read where telemetry says that what was said was uploaded there. By default none is: whoever
    /// sends could make others read it. Other places, such as buckets, are never asked.
    pub fn allow_reference(mut self, folder: impl Into<PathBuf>) -> Self {
        self.references.0.push(folder.into());
        self
    }

    /// The prices by which the store counts costs, to be shown. By default the built-in ones.
    pub fn prices(mut self, prices: Arc<PriceTable>) -> Self {
        self.prices = Some(prices);
        self
    }

    /// For the page of settings: when what was received is on the disk, as the store was opened.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.settings.durability = durability;
        self
    }

    /// For the page of settings: up to which length content is kept, in bytes, as the store was opened.
    pub fn max_content(mut self, most: Option<u64>) -> Self {
        self.settings.max_content = most;
        self
    }

    /// For the page of settings: flags and variables, without secrets.
    pub fn variables(mut self, variables: Vec<Variable>) -> Self {
        self.settings.variables = std::sync::Mutex::new(variables);
        self
    }

    /// Lets the page change settings. By default it changes none.
    pub fn changeable(mut self, changeable: Changeable) -> Self {
        self.settings.changeable = changeable;
        self
    }

    /// Listens. Senders can connect from here on, and are served once [`Dashboard::serve`] runs.
    ///
    /// # Errors
    /// When an address cannot be listened on, or what was described makes no sense.
    pub async fn bind(self) -> Result<Dashboard, BindError> {
        let page = listen(Door::Page, self.page).await?;
        let http = match self.http {
            Some(address) => Some(listen(Door::Http, address).await?),
            None => None,
        };
        let grpc = match self.grpc {
            Some(address) => Some(listen(Door::Grpc, address).await?),
            None => None,
        };
        let doors = Doors {
            page: page.1,
            http: http.as_ref().map(|(_, address)| *address),
            grpc: grpc.as_ref().map(|(_, address)| *address),
        };
        let alone = doors.all().all(|address| address.ip().is_loopback());
        let token = match self.token {
            Some(token) => Some(Token::new(&token).ok_or(BindError::Token)?),
            None if alone => None,
            None => Some(Token::random().ok_or(BindError::Random)?),
        };
        let guard = Guard::new(token, doors.all().map(|address| address.ip()), &self.hosts, self.origins)?;
        let prices = self.prices.unwrap_or_else(|| Arc::new(PriceTable::builtin()));
        let shared = Shared::new(self.store, guard, doors, self.settings, (prices, self.references));
        Ok(Dashboard {
            page: page.0,
            http: http.map(|(listener, _)| listener),
            grpc: grpc.map(|(listener, _)| listener),
            shared,
        })
    }
}

async fn listen(door: Door, address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let failed = |source| BindError::Listen { door, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

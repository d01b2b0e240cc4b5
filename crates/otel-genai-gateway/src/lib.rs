//! A transparent reverse proxy that reads the model calls which pass through it.
//!
//! A program's SDK is pointed at [`Gateway`] by its base-URL variable; the gateway forwards each request to the provider
//! that the path's first segment names ([`Route`]), and everything comes back as it would have without it: method,
//! path, query, headers with their case and order, bodies, framing, trailers, status, reason. Each piece of a body is
//! forwarded as it arrives, then read on the side. What observing costs or loses never reaches the call.
//!
//! Only what belongs to one hop is not passed on: `Connection` and what it names, `Keep-Alive`, `Proxy-Connection`,
//! `Upgrade` (except for upgrades), and `TE` other than `trailers`; `Host` becomes the provider's. Interim responses
//! (1xx) stop here, except that `100 Continue` reaches the client when the provider says it, and `101` opens a tunnel.
//!
//! [`Local`] is one inside the program itself, for a client that takes a base URL and nothing else. Programs that know no
//! base URL can take it for their HTTPS proxy ([`Intercept`]).
//!
//! It speaks HTTP/1.1 and HTTP/2 (with prior knowledge) to clients, HTTP/1.1 and, over TLS, HTTP/2 to providers.

mod body;
mod builder;
mod connect;
mod context;
mod expect;
mod failure;
mod forward;
mod gateway;
mod header;
mod hosts;
mod intercept;
mod local;
mod route;
mod tls;
mod tunnel;
mod unsent;
mod within;

pub use builder::{BindError, GatewayBuilder};
pub use connect::UpstreamProxy;
pub use failure::UpstreamFailure;
pub use gateway::{Drained, Gateway};
pub use hosts::KnownHosts;
pub use intercept::{Intercept, InterceptError, Refusal, RefusalKind};
pub use local::{Local, LocalError};
pub use route::{Route, RouteError};
pub use within::Within;

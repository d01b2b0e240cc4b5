//! The body tap that observes model calls over HTTP, shared by the gateway and by client layers.

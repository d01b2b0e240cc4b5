//! A transparent reverse proxy that reads the model calls which pass through it.

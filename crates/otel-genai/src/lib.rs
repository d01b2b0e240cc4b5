//! OpenTelemetry for generative AI: operations, messages, conventions, capture, handler.

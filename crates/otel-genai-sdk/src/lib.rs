//! Ready-made OpenTelemetry set-up from the standard OTEL_* variables, with a guard that flushes.

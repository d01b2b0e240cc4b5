//! The words of the OpenTelemetry GenAI conventions: attribute, metric, event and enum names as constants.

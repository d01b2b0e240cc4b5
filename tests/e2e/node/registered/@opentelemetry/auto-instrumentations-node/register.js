// What the package of this name does for a program of OpenAI's SDK, and nothing of what it does for others: spans and log
// records go where OTEL_* says, and OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT decides about content.
const { logs } = require("@opentelemetry/api-logs");
const { OTLPLogExporter } = require("@opentelemetry/exporter-logs-otlp-proto");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-proto");
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { OpenAIInstrumentation } = require("@opentelemetry/instrumentation-openai");
const { BatchLogRecordProcessor, LoggerProvider } = require("@opentelemetry/sdk-logs");
const { BatchSpanProcessor, NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");

const tracers = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
tracers.register();
const loggers = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })] });
logs.setGlobalLoggerProvider(loggers);
registerInstrumentations({ instrumentations: [new OpenAIInstrumentation()] });
process.once("beforeExit", () => Promise.all([tracers.shutdown(), loggers.shutdown()]));

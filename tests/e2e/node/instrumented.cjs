// One conversation with a tool, told by an instrumentation of others: `instrumented.cjs NAME PROTOCOL`.
// A weather agent asks a model twice (the tool is called between), then for a stream; all within one span of the program.
const { context, trace } = require("@opentelemetry/api");
const { logs } = require("@opentelemetry/api-logs");
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { OTLPLogExporter } = require("@opentelemetry/exporter-logs-otlp-proto");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchLogRecordProcessor, LoggerProvider } = require("@opentelemetry/sdk-logs");
const { BatchSpanProcessor, NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");

const [name, protocol] = process.argv.slice(2);
const exporters = {
  grpc: () => require("@opentelemetry/exporter-trace-otlp-grpc"),
  "http/protobuf": () => require("@opentelemetry/exporter-trace-otlp-proto"),
  "http/json": () => require("@opentelemetry/exporter-trace-otlp-http"),
};
const model = "gpt-4o-mini";
const [system, question, outside, pieces] =
  ["You are brief.", "How is the weather in Paris?", "18 degrees and sunny", "Say it in pieces"];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const description = "The weather in a city";

const resource = resourceFromAttributes({ "service.name": name });
const { OTLPTraceExporter } = exporters[protocol]();
const tracers = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
tracers.register();
const loggers = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })] });
logs.setGlobalLoggerProvider(loggers);

async function official() {
  const { OpenAIInstrumentation } = require("@opentelemetry/instrumentation-openai");
  registerInstrumentations({ instrumentations: [new OpenAIInstrumentation({ captureMessageContent: true })] });
  const { OpenAI } = require("openai");
  const client = new OpenAI();
  const tools = [{ type: "function", function: { name: "get_weather", description, parameters } }];
  const messages = [{ role: "system", content: system }, { role: "user", content: question }];
  const first = (await client.chat.completions.create({ model, messages, tools })).choices[0].message;
  messages.push({ role: "assistant", content: null, tool_calls: first.tool_calls });
  messages.push({ role: "tool", tool_call_id: first.tool_calls[0].id, content: outside });
  const second = (await client.chat.completions.create({ model, messages, tools })).choices[0].message;
  messages.push({ role: "assistant", content: second.content }, { role: "user", content: pieces });
  let text = "";
  const stream_options = { include_usage: true };
  for await (const chunk of await client.chat.completions.create({ model, messages, stream: true, stream_options }))
    text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

async function vercel() {
  const { openai } = await import("@ai-sdk/openai");
  const { generateText, jsonSchema, stepCountIs, streamText, tool } = await import("ai");
  const common = { model: openai.chat(model), system, maxRetries: 0, experimental_telemetry: { isEnabled: true } };
  const tools = { get_weather: tool({ description, inputSchema: jsonSchema(parameters), execute: async () => outside }) };
  const asked = [{ role: "user", content: question }];
  const { response } = await generateText({ ...common, messages: asked, tools, stopWhen: stepCountIs(2) });
  const messages = [...asked, ...response.messages, { role: "user", content: pieces }];
  let text = "";
  for await (const piece of streamText({ ...common, messages }).textStream) text += piece;
  return text;
}

async function main() {
  const span = trace.getTracer("program").startSpan("weather");
  const answer = await context.with(trace.setSpan(context.active(), span), { official, vercel }[name]);
  span.end();
  await tracers.shutdown();
  await loggers.shutdown();
  console.log(JSON.stringify({ answer }));
}

main();

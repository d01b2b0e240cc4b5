// Messages: whole, streamed, with tools, refused and broken off.
import Anthropic from "@anthropic-ai/sdk";

const model = "claude-sonnet-4-5";
const max_tokens = 64;
const tools = [
  {
    name: "get_weather",
    description: "The weather in a city",
    input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];
const client = new Anthropic({ maxRetries: 0 });
const seen = {};
const ask = (content) => [{ role: "user", content }];

const message = await client.messages.create({
  model,
  max_tokens,
  temperature: 0.2,
  top_k: 5,
  stop_sequences: ["END"],
  system: "Answer briefly.",
  messages: ask("Say this is a test – ünïcödé 🦀"),
});
seen.unary = { message, request_id: message._request_id };

seen.stream = [];
for await (const event of await client.messages.create({
  model,
  max_tokens,
  messages: ask("Say it in pieces"),
  stream: true,
})) {
  seen.stream.push(event);
}

const thinking = { type: "enabled", budget_tokens: 1024 };
seen.thinking = await client.messages
  .stream({ model, max_tokens: 2048, thinking, messages: ask("Think first") })
  .finalMessage();

const messages = ask("How is the weather in Paris?");
const first = await client.messages.create({ model, max_tokens, tools, messages });
const call = first.content.at(-1);
const result = { type: "tool_result", tool_use_id: call.id, content: "18 degrees and sunny" };
const rest = [
  { role: "assistant", content: first.content },
  { role: "user", content: [result] },
];
const second = await client.messages.create({ model, max_tokens, tools, messages: [...messages, ...rest] });
seen.tools = { call, answer: second.content[0].text };

seen["streamed tools"] = await client.messages.stream({ model, max_tokens, tools, messages }).finalMessage();

try {
  await client.messages.create({ model: "claude-busy", max_tokens, messages: ask("Please fail") });
} catch (problem) {
  seen.error = [problem.constructor.name, problem.status, problem.message, problem.error, problem.requestID];
}

seen["broken stream"] = [];
try {
  for await (const event of await client.messages.create({
    model,
    max_tokens,
    messages: ask("Break off"),
    stream: true,
  })) {
    seen["broken stream"].push(event.type);
  }
} catch (problem) {
  seen["broken stream"].push(`${problem.constructor.name}: ${problem.message}`);
}
console.log(JSON.stringify(seen));

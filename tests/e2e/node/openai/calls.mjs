// Chat Completions, embeddings and Responses: whole, streamed, with tools, refused and broken off.
import OpenAI from "openai";

const model = "gpt-4o-mini";
const about = {
  name: "get_weather",
  description: "The weather in a city",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};
const chatTools = [{ type: "function", function: about }];
const tools = [{ type: "function", ...about }];
const question = "How is the weather in Paris?";
const client = new OpenAI({ maxRetries: 0 });
const chat = client.chat.completions;
const responses = client.responses;
const seen = {};
const ask = (content) => [{ role: "user", content }];

async function all(stream) {
  const items = [];
  for await (const item of await stream) items.push(item);
  return items;
}

async function refused(call) {
  try {
    await call;
  } catch (problem) {
    return [problem.constructor.name, problem.status, problem.error, problem.requestID];
  }
}

async function broken(stream) {
  const pieces = [];
  try {
    for await (const item of await stream) pieces.push(item);
  } catch (problem) {
    pieces.push(`${problem.constructor.name}: ${problem.message}`);
  }
  return pieces;
}

let whole = await chat.create({
  model,
  messages: [{ role: "system", content: "Answer briefly." }, ...ask("Hello – ünïcödé 🦀")],
  temperature: 0.2,
  max_tokens: 64,
});
seen["chat unary"] = { text: whole.choices[0].message.content, whole };

whole = await all(
  chat.create({ model, messages: ask("Say it in pieces"), stream: true, stream_options: { include_usage: true } }),
);
seen["chat stream"] = { text: whole.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), whole };

const messages = ask(question);
whole = await chat.create({ model, messages, tools: chatTools });
const chatCall = whole.choices[0].message.tool_calls[0];
messages.push({ role: "assistant", tool_calls: [chatCall] });
messages.push({ role: "tool", tool_call_id: chatCall.id, content: "18 degrees and sunny" });
const said = await chat.create({ model, messages, tools: chatTools });
seen["chat tools"] = { text: said.choices[0].message.content, whole };

whole = await chat.stream({ model, messages: ask(question), tools: chatTools }).finalChatCompletion();
seen["chat streamed tools"] = { text: whole.choices[0].message.tool_calls[0].function.name, whole };

seen["chat error"] = await refused(chat.create({ model: "busy", messages: ask("Please fail") }));
seen["chat broken stream"] = await broken(chat.create({ model, messages: ask("Break off"), stream: true }));
seen.embeddings = await client.embeddings.create({ model: "text-embedding-3-small", input: ["one", "two"] });

whole = await responses.create({
  model,
  instructions: "Answer briefly.",
  input: "Hello – ünïcödé 🦀",
  temperature: 0.2,
  max_output_tokens: 64,
});
seen.unary = { text: whole.output_text, whole };

whole = await all(responses.create({ model, input: ask("Say it in pieces"), stream: true }));
seen.stream = { text: whole.at(-1).response.output_text ?? whole.at(-1).response.output[0].content[0].text, whole };

const reasoning = { effort: "low", summary: "auto" };
whole = await responses.stream({ model: "o4-mini", input: "Think first", reasoning }).finalResponse();
seen.reasoning = { text: whole.output_text, whole };

whole = await responses.create({ model, input: ask(question), tools });
const call = whole.output[0];
const result = { type: "function_call_output", call_id: call.call_id, output: "18 degrees and sunny" };
const second = await responses.create({ model, input: [...ask(question), call, result], tools });
seen.tools = { text: second.output_text, whole };

whole = await all(responses.create({ model, input: question, tools, stream: true }));
seen["streamed tools"] = { text: whole.at(-1).response.output[0].name, whole };

seen.error = await refused(responses.create({ model: "busy", input: "Please fail" }));
seen["broken stream"] = await broken(responses.create({ model, input: "Break off", stream: true }));
console.log(JSON.stringify(seen));

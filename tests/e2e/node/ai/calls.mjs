// Vercel's AI SDK with the provider that the first argument names: whole, streamed, thinking, with tools, refused, broken off.
import { anthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { openai } from "@ai-sdk/openai";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

// Its ids for calls, which Gemini leaves without, are random unless somebody makes them.
const google = createGoogleGenerativeAI({ baseURL: process.env.E2E_GOOGLE_BASE_URL, generateId: () => "call_of_ours" });
const providers = {
  openai: {
    model: openai("gpt-4o-mini"),
    busy: openai("busy"),
    thinker: openai("o4-mini"),
    thinking: { openai: { reasoningEffort: "low", reasoningSummary: "auto" } },
  },
  chat: { model: openai.chat("gpt-4o-mini"), busy: openai.chat("busy") },
  anthropic: {
    model: anthropic("claude-sonnet-4-5"),
    busy: anthropic("claude-busy"),
    thinker: anthropic("claude-sonnet-4-5"),
    thinking: { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } },
  },
  google: {
    model: google("gemini-2.5-flash"),
    busy: google("gemini-busy"),
    thinker: google("gemini-2.5-flash"),
    thinking: { google: { thinkingConfig: { includeThoughts: true } } },
  },
};
const { model, busy, thinker, thinking } = providers[process.argv[2]];
const common = { maxRetries: 0, maxOutputTokens: 64 };
const tools = {
  get_weather: tool({
    description: "The weather in a city",
    inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }),
    execute: async () => "18 degrees and sunny",
  }),
};
const seen = {};
const what = (problem) => `${problem.name}: ${problem.message}`;

// Waits for the end of a stream, and keeps what came, errors as their text.
async function all(result) {
  const parts = [];
  try {
    for await (const part of result.fullStream) {
      const { type, text, toolName, finishReason, totalUsage, error } = part;
      parts.push({ type, text, toolName, finishReason, totalUsage, error: error && what(error) });
    }
  } catch (problem) {
    parts.push({ type: "error", error: what(problem) });
  }
  return { text: parts.map((part) => (part.type === "text-delta" ? part.text : "")).join(""), parts };
}

const onError = () => {};
const system = "Answer briefly.";
const whole = await generateText({ ...common, model, system, prompt: "Hello – ünïcödé 🦀", temperature: 0.2 });
seen.unary = { text: whole.text, usage: whole.usage, finishReason: whole.finishReason, body: whole.response.body };

seen.stream = await all(streamText({ ...common, model, prompt: "Say it in pieces", onError }));

if (thinker) {
  seen.reasoning = await all(
    streamText({ ...common, model: thinker, prompt: "Think first", providerOptions: thinking, onError }),
  );
}

const prompt = "How is the weather in Paris?";
const stopWhen = stepCountIs(3);
const round = await generateText({ ...common, model, prompt, tools, stopWhen });
seen.tools = { text: round.text, calls: round.steps[0].toolCalls.map((call) => [call.toolName, call.input]) };

seen["streamed tools"] = await all(streamText({ ...common, model, prompt, tools, stopWhen, onError }));

try {
  await generateText({ ...common, model: busy, prompt: "Please fail" });
} catch (problem) {
  seen.error = [problem.name, problem.statusCode, problem.message, problem.responseBody];
}

seen["broken stream"] = await all(streamText({ ...common, model, prompt: "Break off", onError }));
console.log(JSON.stringify(seen));

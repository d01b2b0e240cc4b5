// A streamed chat with usage, and a stream that is left early.
import OpenAI from "openai";

const client = new OpenAI();
const chunks = [];
const stream = await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "stream from node" }],
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) chunks.push(chunk);

const pieces = [];
const endless = await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "never-ending story" }],
  stream: true,
});
for await (const chunk of endless) {
  pieces.push(chunk.choices[0].delta.content);
  if (pieces.length === 2) break;
}
console.log(JSON.stringify({ chunks, pieces }));

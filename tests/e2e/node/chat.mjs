// One chat, and an error that is caught.
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 });
const completion = await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "hello from node" }],
  temperature: 1,
  max_completion_tokens: 20,
});
let failure;
try {
  await client.chat.completions.create({ model: "no-such-model", messages: [{ role: "user", content: "x" }] });
} catch (error) {
  failure = { name: error.constructor.name, status: error.status, code: error.code, requestID: error.requestID };
}
console.log(JSON.stringify({
  content: completion.choices[0].message.content,
  usage: completion.usage,
  requestId: completion._request_id,
  failure,
}));

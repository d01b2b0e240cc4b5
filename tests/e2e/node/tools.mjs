// A tool call, and a second request with the tool's result.
import OpenAI from "openai";

const client = new OpenAI();
const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather in a city",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];
const messages = [{ role: "user", content: "How is the weather in Paris?" }];
const first = await client.chat.completions.create({ model: "gpt-4o", messages, tools });
const call = first.choices[0].message.tool_calls[0];
messages.push(first.choices[0].message);
messages.push({ role: "tool", tool_call_id: call.id, content: "18 degrees and sunny" });
const second = await client.chat.completions.create({ model: "gpt-4o", messages, tools });
console.log(JSON.stringify({ call, answer: second.choices[0].message.content }));

// Gemini: whole, streamed, with a thought, with tools, refused, broken off, and embeddings.
import { GoogleGenAI } from "@google/genai";

const model = "gemini-2.5-flash";
const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
const tools = [
  {
    functionDeclarations: [
      {
        name: "get_weather",
        description: "The weather in a city",
        parametersJsonSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    ],
  },
];
const seen = {};
const plain = ({ candidates, usageMetadata, responseId }) => ({ candidates, usageMetadata, responseId });

// What a stream brought, and the error that ended it.
async function all(request) {
  const chunks = [];
  let error;
  try {
    for await (const chunk of await client.models.generateContentStream(request)) chunks.push(plain(chunk));
  } catch (problem) {
    error = `${problem.constructor.name}: ${problem.message}`;
  }
  const parts = chunks.flatMap((chunk) => chunk.candidates[0].content.parts);
  const text = parts.map((part) => (part.thought ? "" : (part.text ?? ""))).join("");
  return { text, error, chunks };
}

const whole = await client.models.generateContent({
  model,
  contents: "Hello – ünïcödé 🦀",
  config: { systemInstruction: "Answer briefly.", temperature: 0.2, topK: 5, maxOutputTokens: 64, stopSequences: ["END"] },
});
seen.unary = { text: whole.text, whole: plain(whole) };
seen.stream = await all({ model, contents: "Say it in pieces" });
seen.reasoning = await all({ model, contents: "Think first", config: { thinkingConfig: { includeThoughts: true } } });

const question = { role: "user", parts: [{ text: "How is the weather in Paris?" }] };
const first = await client.models.generateContent({ model, contents: [question], config: { tools } });
const [call] = first.functionCalls;
const response = { name: call.name, response: { result: "18 degrees and sunny" } };
const contents = [question, first.candidates[0].content, { role: "user", parts: [{ functionResponse: response }] }];
const second = await client.models.generateContent({ model, contents, config: { tools } });
seen.tools = { text: second.text, call };
seen["streamed tools"] = await all({ model, contents: [question], config: { tools } });

try {
  await client.models.generateContent({ model: "gemini-busy", contents: "Please fail" });
} catch (problem) {
  seen.error = [problem.constructor.name, problem.status, problem.message];
}

seen["broken stream"] = await all({ model, contents: "Break off" });
seen.embeddings = await client.models.embedContent({ model: "text-embedding-005", contents: ["one", "two"] });
console.log(JSON.stringify(seen));

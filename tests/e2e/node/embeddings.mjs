// Embeddings with the client's default encoding.
import OpenAI from "openai";

const result = await new OpenAI().embeddings.create({ model: "text-embedding-3-small", input: ["hello", "node"] });
console.log(JSON.stringify({ vectors: result.data.map((item) => item.embedding), usage: result.usage }));

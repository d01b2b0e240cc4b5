// The response as fetch gives it: status, headers, body; plain and streamed.
import OpenAI from "openai";

const client = new OpenAI();
const seen = [];
for (const stream of [false, true]) {
  const response = await client.chat.completions
    .create({ model: "gpt-4o-mini", messages: [{ role: "user", content: "raw from node" }], stream })
    .asResponse();
  seen.push({
    status: response.status,
    statusText: response.statusText,
    headers: [...response.headers],
    body: await response.text(),
  });
}
console.log(JSON.stringify(seen));

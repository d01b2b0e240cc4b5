// One chat, by a program that is no module.
const OpenAI = require("openai");

new OpenAI({ maxRetries: 0 }).chat.completions
  .create({ model: "gpt-4o-mini", messages: [{ role: "user", content: "hello from node" }] })
  .then((completion) => console.log(completion.choices[0].message.content));

// Chats with a provider whose address stands in the code, by Node's own fetch.
const answer = await fetch(`${process.argv[2]}/chat/completions`, {
  method: "POST",
  headers: { "content-type": "application/json", authorization: "Bearer sk-fixed-SECRETSECRET" },
  body: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] }),
});
console.log(JSON.stringify({ status: answer.status, body: await answer.text() }));

// One chat by a way of Node's own: arguments are which one and the address. Prints JSON as programs/hooked.py does.
import https from 'node:https'
import http from 'node:http'

const [client, url] = process.argv.slice(2)
const body = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hooked' }] })
const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${process.env.OPENAI_API_KEY}` }

if (process.env.E2E_SPAN) {
  const span = { spanContext: () => ({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }) }
  const active = { getValue: (key) => (key === Symbol.for('OpenTelemetry Context Key SPAN') ? span : undefined) }
  globalThis[Symbol.for('opentelemetry.js.api.1')] = { context: { active: () => active } }
}

const told = (status, text, addresses) => {
  console.log(JSON.stringify({ status, content: JSON.parse(text).choices[0].message.content, addresses }))
}

if (client === 'https') {
  const module = url.startsWith('https:') ? https : http
  const asked = module.request(url, { method: 'POST', headers: { ...headers, 'Content-Length': body.length } }, async (answer) => {
    let text = ''
    for await (const piece of answer) text += piece
    told(answer.statusCode, text, [url])
  })
  asked.end(body)
} else {
  const request = client === 'fetch-request' ? new Request(url, { method: 'POST', headers, body }) : url
  const answer = await (client === 'fetch-request' ? fetch(request) : fetch(url, { method: 'POST', headers, body }))
  told(answer.status, await answer.text(), [answer.url])
}

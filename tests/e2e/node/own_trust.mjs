// A call that has something of its own, or nothing: as programs/own_trust.py.
import https from 'node:https'

const [which, url] = process.argv.slice(2)
const body = '{"model":"m","messages":[{"role":"user","content":"hooked"}]}'
const init = { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }
const dispatcher = Symbol.for('undici.globalDispatcher.1')

const get = (options) => new Promise((resolve, reject) => {
  https.request(url, { method: 'POST', ...options }, (answer) => answer.resume().on('end', resolve))
    .on('error', reject).end(body)
})

async function replaced (options) {
  await fetch('data:,').then((answer) => answer.text())
  const Agent = globalThis[dispatcher].constructor
  globalThis[dispatcher] = new Agent(options)
  return fetch(url, init)
}

const calls = {
  fetch: () => fetch(url, init),
  'fetch-request': () => fetch(new Request(url, init)),
  'fetch-request-as-init': () => fetch(url, new Request(url, init)),
  'fetch-dispatcher': () => replaced({ connect: { rejectUnauthorized: false } }),
  'fetch-dispatcher-usual': () => replaced(),
  https: () => get({}),
  'https-agent-usual': () => get({ agent: new https.Agent({ keepAlive: false }) }),
  'https-agent': () => get({ agent: new https.Agent({ checkServerIdentity: () => undefined }) }),
  'https-authorities': () => get({ ca: 'none' }),
  'https-unchecked': () => get({ rejectUnauthorized: false })
}

await calls[which]().catch(() => {})

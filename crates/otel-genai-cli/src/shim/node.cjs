// Leads the calls of HTTP clients to known hosts of models by way of the gateway of `otel-genai run`:
//
//   https://api.openai.com/v1/x  ->  http://127.0.0.1:PORT/TOKEN/h/api.openai.com/v1/x
//
// Nothing else of a request changes, but for a `traceparent` where the program is in a trace and sends none. Nothing of
// this prints, throws, or loads what the program would not have loaded. When the gateway is gone, requests go as before.
//
// Loaded by `--require`, so that it works before CommonJS and ES modules, in workers, and (it is written for) every
// Node there is: an option or a syntax that a Node does not know would keep it from starting.
'use strict';

function install() {
  const MARK = Symbol.for('otel-genai.shim');
  const env = process.env;
  const off = /^\s*(false|0|off|no)\s*$/i.test(env.OTEL_GENAI_SHIM || '');
  if (off || !env.OTEL_GENAI_SHIM_GATEWAY || globalThis[MARK]) return;
  Object.defineProperty(globalThis, MARK, { value: true });

  const gateway = env.OTEL_GENAI_SHIM_GATEWAY;
  const parts = /^http:\/\/([^/:]+):(\d+)(\/.*)$/.exec(gateway);
  if (!parts) return;
  const host = parts[1];
  const port = Number(parts[2]);
  const prefix = parts[3];
  const whose = (env.OTEL_GENAI_SHIM_PID || '').split(':');
  const pid = Number(whose[0]) || 0;
  const started = whose[1];
  const entries = (env.OTEL_GENAI_SHIM_HOSTS || '').split(',').filter(Boolean);
  const origins = new Set(entries.filter((entry) => entry.indexOf('://') >= 0));
  const patterns = entries.filter((entry) => entry.indexOf('://') < 0).map((entry) => {
    const text = entry.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*');
    return new RegExp(entry.indexOf('*') < 0 ? '^(.*\\.)?' + text + '$' : '^' + text + '$');
  });
  const known = new Map();
  let gone = false;

  // What a program may have changed for itself, as a test does.
  const readFile = require('fs').readFileSync;
  const kill = process.kill;

  // Its port may be somebody else's once it has ended, and so may its number.
  function isThere() {
    if (!gone && pid) {
      try {
        if (started) {
          const stat = readFile('/proc/' + pid + '/stat', 'latin1');
          return stat.slice(stat.lastIndexOf(')') + 1).trim().split(/\s+/)[19] === started;
        }
        kill.call(process, pid, 0);
      } catch (error) {
        if (started) return false;
        gone = error.code !== 'EPERM';
      }
    }
    return !gone;
  }

  function isKnown(protocol, authority) {
    const origin = protocol + '//' + authority;
    let answer = known.get(origin);
    if (answer === undefined) {
      const named = protocol === 'https:' && authority.indexOf(':') < 0;
      answer = origins.has(origin) || (named && patterns.some((pattern) => pattern.test(authority)));
      if (known.size >= 512) known.clear();
      known.set(origin, answer);
    }
    return answer;
  }

  // What stands in front of the path at the gateway; undefined where the request is to go as it is.
  function led(protocol, hostname, portOf) {
    if (gone || (protocol !== 'https:' && protocol !== 'http:') || !hostname) return undefined;
    const own = protocol === 'https:' ? '443' : '80';
    const number = portOf ? String(portOf) : own;
    const authority = String(hostname).toLowerCase() + (number === own ? '' : ':' + number);
    if (!isKnown(protocol, authority) || !isThere()) return undefined;
    return prefix + '/h/' + (protocol === 'http:' ? 'http:' : '') + authority;
  }

  // Headers for the trace that the program is in: none where it has no OpenTelemetry, or is in no trace.
  function trace() {
    try {
      const api = globalThis[Symbol.for('opentelemetry.js.api.1')];
      const context = api && api.context && api.context.active();
      const span = context && context.getValue(Symbol.for('OpenTelemetry Context Key SPAN'));
      const found = span && span.spanContext();
      if (!found || !/^[0-9a-f]{32}$/.test(found.traceId) || /^0+$/.test(found.traceId)) return [];
      const flags = '0' + (found.traceFlags & 1);
      const headers = [['traceparent', '00-' + found.traceId + '-' + found.spanId + '-' + flags]];
      const state = found.traceState && found.traceState.serialize();
      if (state) headers.push(['tracestate', state]);
      return headers;
    } catch (error) {
      return [];
    }
  }

  // -- fetch ---------------------------------------------------------------------------------------------------------

  // A plain object has no connections: it changes something, such as time limits, and hands on to the global dispatcher.
  // That of @google/genai is one.
  function isPassedOn(dispatcher) {
    return Object.getPrototypeOf(dispatcher) === Object.prototype && Object.keys(dispatcher).join() === 'dispatch';
  }

  // Node makes its own when it first needs it. One that is there before the program begins is Node's, too.
  const DISPATCHER = Symbol.for('undici.globalDispatcher.1');
  let usual = globalThis[DISPATCHER];

  // The package `undici` makes one when it is loaded: nothing is asked of it then.
  function asksNothing(dispatcher) {
    if (!dispatcher.constructor || dispatcher.constructor.name !== 'Agent') return false;
    const symbols = Object.getOwnPropertySymbols(dispatcher);
    const value = (name) => dispatcher[symbols.find((symbol) => symbol.description === name)];
    const options = value('options');
    const factory = value('factory');
    return Boolean(options) && !options.connect && !options.factory && Boolean(factory)
      && factory.name === 'defaultFactory';
  }

  // A program that takes other ways to the network has its reasons, be it a proxy, a certificate or a test.
  function takesItsOwnWay(init) {
    if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') return true;
    if (init && init.dispatcher && !isPassedOn(init.dispatcher)) return true;
    const dispatcher = globalThis[DISPATCHER];
    return dispatcher !== undefined && dispatcher !== usual && !asksNothing(dispatcher);
  }

  // Makes a call as it is, and remembers Node's own dispatcher, should this be the call that makes it.
  function asIs(self, args) {
    if (globalThis[DISPATCHER] !== undefined) return original.apply(self, args);
    const answer = original.apply(self, args);
    if (usual === undefined) usual = globalThis[DISPATCHER];
    return answer;
  }

  // Whether a copy holds all there is: `fetch(url, request)` is allowed, and a Request has getters only.
  function isPlain(init) {
    if (init === undefined || init === null) return true;
    if (typeof init !== 'object') return false;
    // That of another realm, such as a test's, is as good.
    const parent = Object.getPrototypeOf(init);
    if (parent !== null && (Object.getPrototypeOf(parent) !== null
      || !Object.prototype.hasOwnProperty.call(parent, 'hasOwnProperty'))) return false;
    return Reflect.ownKeys(init).every((key) => {
      const property = Object.getOwnPropertyDescriptor(init, key);
      return property.enumerable && 'value' in property;
    });
  }

  // A body that comes bit by bit would have to be awaited whole.
  function isStreamed(request) {
    const key = Object.getOwnPropertySymbols(request).find((symbol) => symbol.description === 'state');
    const body = key && request[key] && request[key].body;
    return Boolean(body) && 'source' in body && (body.source === null || body.source === undefined);
  }

  function planned(input, init) {
    if (!isPlain(init)) return undefined;
    const isRequest = typeof Request === 'function' && input instanceof Request;
    const url = new URL(isRequest ? input.url : String(input));
    if (url.username || url.password) return undefined;
    const before = led(url.protocol, url.hostname, url.port);
    if (before === undefined || takesItsOwnWay(init)) return undefined;
    const target = 'http://' + host + ':' + port + before + url.pathname + url.search;
    if (isRequest && input.body && isStreamed(input)) return undefined;
    const options = Object.assign({}, init);
    const headers = new Headers(options.headers || (isRequest ? input.headers : undefined));
    const extra = headers.has('traceparent') ? [] : trace();
    if (extra.length) {
      extra.forEach((pair) => headers.set(pair[0], pair[1]));
      options.headers = headers;
    }
    const follows = (options.redirect || (isRequest ? input.redirect : 'follow')) === 'follow';
    if (isRequest) {
      ['method', 'signal', 'redirect', 'keepalive', 'integrity', 'cache', 'credentials', 'referrerPolicy']
        .forEach((name) => { if (options[name] === undefined) options[name] = input[name]; });
      if (options.headers === undefined) options.headers = input.headers;
    }
    // A copy, so that the program's own stays whole; and as a whole, so that its length is told as it would have been.
    const held = isRequest && options.body === undefined && input.body ? input.clone().arrayBuffer() : undefined;
    const body = options.body;
    const again = typeof body === 'string' || body === null || body === undefined || ArrayBuffer.isView(body)
      || body instanceof ArrayBuffer || body instanceof URLSearchParams;
    // A place to be sent to is told relative to the provider: the request is then made as if we were not there.
    if (follows && again) options.redirect = 'manual';
    return { target, options, held, url: url.href, again, follows };
  }

  function send(plan) {
    if (!plan.held) return asIs(undefined, [plan.target, plan.options]);
    return plan.held.then((body) => asIs(undefined, [plan.target, Object.assign(plan.options, { body })]));
  }

  function isRedirect(status) {
    return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
  }

  function isRefused(error) {
    const cause = error && error.cause;
    const causes = cause && cause.errors ? cause.errors : [cause];
    return causes.some((one) => one && one.code === 'ECONNREFUSED' && one.port === port);
  }

  const original = globalThis.fetch;
  if (typeof original === 'function') {
    const wrapped = {
      fetch(input, init) {
        let plan;
        try {
          plan = planned(input, init);
        } catch (error) {
          plan = undefined;
        }
        if (!plan) return asIs(this, arguments);
        return send(plan).then(
          (response) => {
            if (plan.follows && plan.again && isRedirect(response.status) && response.headers.has('location')) {
              return (response.body ? response.body.cancel() : Promise.resolve()).then(() => original(input, init));
            }
            try {
              Object.defineProperty(response, 'url', { value: plan.url, configurable: true });
            } catch (error) {
              // It tells our address, then.
            }
            return response;
          },
          (error) => {
            if (!isRefused(error)) throw error;
            gone = true;
            return original(input, init);
          }
        );
      },
    }.fetch;
    Object.defineProperty(wrapped, 'length', { value: original.length, configurable: true });
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
    if (descriptor && descriptor.configurable) {
      Object.defineProperty(globalThis, 'fetch', {
        value: wrapped, writable: true, configurable: true, enumerable: descriptor.enumerable,
      });
    }
  }

  // -- https.request, which axios, got, node-fetch and others use ----------------------------------------------------

  const http = require('http');
  const https = require('https');
  let agent;

  // The arguments as Node itself reads them: [url,] [options,] [callback].
  function read(args, protocol) {
    args = Array.prototype.slice.call(args);
    let options = {};
    if (typeof args[0] === 'string' || args[0] instanceof URL) {
      const url = new URL(String(args.shift()));
      if (url.username || url.password) return undefined;
      options = {
        protocol: url.protocol, hostname: url.hostname, port: url.port, path: url.pathname + url.search,
      };
    }
    if (args[0] && typeof args[0] === 'object') options = Object.assign(options, args.shift());
    if (!options.protocol) options.protocol = protocol;
    return { options, callback: args[0] };
  }

  // A certificate, authorities or checks that the program has for this call: the gateway knows nothing of them.
  function hasItsOwnTrust(options) {
    return Boolean(options.cert || options.pfx || options.key || options.ca || options.crl || options.secureContext
      || options.checkServerIdentity || options.localAddress || options.rejectUnauthorized === false);
  }

  function request(args, protocol, standard) {
    const asked = read(args, protocol);
    if (!asked || asked.options.protocol !== protocol) return undefined;
    const options = asked.options;
    const name = options.hostname || options.host;
    const before = led(protocol, name, options.port || options.defaultPort);
    if (before === undefined || options.socketPath || options.createConnection || options.auth || options.lookup
      || hasItsOwnTrust(options) || env.NODE_TLS_REJECT_UNAUTHORIZED === '0') return undefined;
    // An agent of another kind leads to a proxy, or answers itself in a test.
    const theirs = options.agent === undefined ? standard.globalAgent : options.agent;
    if (theirs && Object.getPrototypeOf(theirs) !== standard.Agent.prototype) return undefined;
    if (theirs && theirs.options && hasItsOwnTrust(theirs.options)) return undefined;
    if (!agent) agent = new http.Agent({ keepAlive: true, scheduling: 'lifo' });
    const changed = Object.assign({}, options, {
      protocol: 'http:', hostname: host, host, port, defaultPort: undefined, agent: theirs === false ? false : agent,
      path: before + (String(options.path || '/')[0] === '/' ? '' : '/') + (options.path || '/'),
    });
    const list = Array.isArray(options.headers);
    if (!list) {
      const headers = Object.assign({}, options.headers);
      const has = (wanted) => Object.keys(headers).some((key) => key.toLowerCase() === wanted);
      // Signatures are for the host that was asked for, which the gateway tells the provider.
      if (!has('host') && options.setHost !== false) {
        headers.Host = before.slice(before.lastIndexOf('/') + 1).replace(/^http:/, '');
      }
      if (!has('traceparent')) trace().forEach((pair) => { headers[pair[0]] = pair[1]; });
      changed.headers = headers;
    }
    return asked.callback === undefined ? [changed] : [changed, asked.callback];
  }

  function wrap(module, protocol) {
    const asked = module.request;
    const got = module.get;
    function args(given) {
      try {
        return request(given, protocol, module);
      } catch (error) {
        return undefined;
      }
    }
    module.request = Object.defineProperty(function request() {
      const changed = args(arguments);
      return changed ? watched(plain.apply(http, changed)) : asked.apply(this, arguments);
    }, 'length', { value: asked.length });
    module.get = Object.defineProperty(function get() {
      const changed = args(arguments);
      if (!changed) return got.apply(this, arguments);
      const sent = watched(plain.apply(http, changed));
      sent.end();
      return sent;
    }, 'length', { value: got.length });
  }

  const plain = http.request;
  const monitor = require('events').errorMonitor;

  // Nobody listens there: this call has failed, and the next, such as its SDK's second try, goes as it is.
  function watched(sent) {
    if (monitor) sent.once(monitor, (error) => { if (isRefused({ cause: error })) gone = true; });
    return sent;
  }

  wrap(https, 'https:');
  if (Array.from(origins).some((origin) => origin.indexOf('http://') === 0)) wrap(http, 'http:');

  // -- variables -----------------------------------------------------------------------------------------------------

  // Azure's clients refuse to start beside a base URL of OpenAI, and calls are led all the same: what the program did
  // not have goes. Not from tools that only start others, which may be programs that need it.
  const script = String(process.argv[1] || '').split(/[\\/]/).pop();
  if (typeof original === 'function' && !/^(npm|npx|pnpm|pnpx|yarn|corepack)(-cli)?(\.[cm]?js)?$/.test(script)) {
    (env.OTEL_GENAI_SHIM_HIDE || '').split(',').forEach((name) => {
      if (name && (env[name] || '').indexOf('http://' + host + ':' + port + '/') === 0) delete env[name];
    });
  }
}

try {
  install();
} catch (error) {
  // A Node that is too old for it makes its calls as it always has.
}

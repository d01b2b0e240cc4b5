/** Runs worth looking at, each for what it shows. */
import { asks, assistant, attributes, Builder, reasoning, text, tool, user } from "./builder";

export type Scene = (b: Builder) => void;

const WEATHER = tool("get_forecast", "Weather forecast for a city and a day.", { city: "string", day: "string" });
const MUSEUMS = tool("find_museums", "Searches the museum guide and returns the best matching pages.", { query: "string", top_k: "integer" });
const TABLE = tool("book_table", "Books a table in a restaurant. Returns a confirmation code.", { restaurant: "string", time: "string", guests: "integer" });
const HANDOFF = tool("ask_restaurant_agent", "Hands a dining question to the restaurant agent.", { question: "string" });

/** Two agents, MCP, retrieval, memory, a tool that fails once, reasoning, streaming, two carriers. */
export function travel(b: Builder): void {
  b.service = "travel-api";
  b.conversation = "conv_5j66KpQ2";
  b.carriers = ["span_attribute", "log_details"];
  b.dialects = ["2026-08", "2026-10"];
  b.agent("travel-planner", { system: "You plan short city trips.\n\n- Check the **weather** before you propose anything outdoors.\n- Never book without saying the price.\n- Answer in the user's language, in at most 150 words.", tools: [WEATHER, MUSEUMS, HANDOFF], own: { kind: "internal" } }, () => {
    b.chat({
      model: "gpt-5.4-mini", ms: 1210, ttftMs: 380, http: "POST api.openai.example/v1/responses", finish: "tool_calls", usage: { input: 4102, output: 212, cacheRead: 2048, reasoning: 168 },
      input: [user("Plan a rainy-day Saturday in Paris for two. We like impressionists, and we need a late lunch somewhere near the Louvre.")],
      output: [assistant(reasoning("The user wants a rainy-day plan. I should check the forecast first: if it is not raining after all, the Tuileries would be an option.\n\nThen museums: impressionists means Orsay, perhaps the Orangerie. Both need time slots. Lunch near the Louvre around 14:00 can go to the restaurant agent once the times are known."), "I'll check the forecast and the museums' hours for Saturday first.", asks("call_VSPy0", "get_forecast", { city: "Paris", day: "2026-11-28" }), asks("call_Kd81m", "find_museums", { query: "impressionists, open late, time slots", top_k: 5 }))],
    });
    b.parallel(
      () => {
        b.tool("get_forecast", { id: "call_VSPy0", ms: 980, mcp: true, body: () => void b.span({ name: "POST api.weather.example", op: "http", kind: "client", fold: "http" }, 810), result: { condition: "rain", temp_c: 9, wind_kmh: 22 } });
      },
      () => {
        b.tool("find_museums", {
          id: "call_Kd81m", ms: 570, op: "retrieval", query: "impressionists, open late, time slots",
          documents: [
            { id: "orsay-hours.md", score: 0.92, text: "Musée d’Orsay. Open 9:30–18:00, Thursdays until 21:45. Closed on Mondays. The upper level holds the impressionists …", quoted: true },
            { id: "orangerie.md", score: 0.87, text: "Musée de l’Orangerie. The Water Lilies fill two oval rooms. Time slots each half hour …", quoted: true },
            { id: "louvre-hours.md", score: 0.81, text: "The Louvre opens at 9:00. Pyramid entrance: expect queues without a slot.", quoted: true },
            { id: "marmottan-2026.md", score: 0.64, text: "Marmottan Monet, 16th arrondissement, twenty-five minutes from the centre." },
            { id: "pompidou-2026.md", score: 0.41, text: "Centre Pompidou is closed for works until 2030." },
          ],
          body: () => void b.span({ name: "embeddings text-embedding-3-small", op: "embeddings", kind: "client", provider: "openai", model: "text-embedding-3-small", usage: { input: 48 }, count: 1 }, 190),
        });
      },
    );
    const forecast = b.result("call_VSPy0", { condition: "rain", temp_c: 9, wind_kmh: 22, source: "meteo", hours: [{ at: "10:00", mm: 1.2 }, { at: "13:00", mm: 2.8 }, { at: "16:00", mm: 0.4 }] }, "get_forecast");
    const museums = b.result("call_Kd81m", "orsay-hours.md (0.92), orangerie.md (0.87), louvre-hours.md (0.81), marmottan-2026.md (0.64), pompidou-2026.md (0.41)", "find_museums");
    const memory = b.span({ name: "search_memory preferences", op: "memory", count: 3, agent: "travel-planner" }, 90);
    b.tell(memory, { memory: { store: "preferences", operation: "search_memory", records: [{ key: "diet", value: "vegetarian" }, { key: "pace", value: "slow" }, { key: "budget", value: "mid" }] } });
    b.chat({
      model: "gpt-5.4-mini", ms: 1430, ttftMs: 380, http: "POST api.openai.example/v1/responses", finish: "tool_calls", usage: { input: 5018, output: 321, cacheRead: 4096, reasoning: 120 }, input: [forecast, museums],
      output: [assistant(reasoning("Rain until four. Orsay in the morning, Orangerie after lunch. They are vegetarian, so the restaurant agent has to know."), "Rain all day, heaviest at lunch. I'll ask about a table between the two museums.", asks("call_9QxTr", "ask_restaurant_agent", { question: "Table for two, vegetarian, 14:00, at most ten minutes from the Louvre on foot" }))],
    });
    b.tool("ask_restaurant_agent", {
      id: "call_9QxTr", ms: 0,
      body: () => {
        b.agent("restaurant-agent", { system: "You find and book restaurants. Retry a booking once if it times out.", tools: [TABLE], asked: "call_9QxTr" }, () => {
          b.chat({ provider: "anthropic", model: "claude-sonnet-4-6", ms: 1020, ttftMs: 310, http: "POST api.anthropic.example/v1/messages", finish: "tool_use", usage: { input: 3204, output: 96 }, input: [user("Table for two, vegetarian, 14:00, at most ten minutes from the Louvre on foot")], output: [assistant("Le Potager du Marché fits. Booking it.", asks("toolu_01a", "book_table", { restaurant: "Le Potager du Marché", time: "2026-11-28T14:00", guests: 2 }))] });
          b.tool("book_table", { id: "toolu_01a", ms: 1000, error: { type: "timeout", message: "deadline exceeded after 1 s (attempt 1 of 2)" } });
          b.tool("book_table", { id: "toolu_01a", ms: 220, retry: 1, repeats: 2, result: { code: "PDM-4471", price: "€ 46" } });
          b.chat({ provider: "anthropic", model: "claude-sonnet-4-6", ms: 840, ttftMs: 290, http: "POST api.anthropic.example/v1/messages", finish: "end_turn", usage: { input: 3402, output: 64, cacheRead: 3072 }, input: [b.result("toolu_01a", { code: "PDM-4471", price: "€ 46", note: "2nd attempt" }, "book_table")], output: [assistant("Booked: *Le Potager du Marché*, 14:00, two guests, about € 46. Confirmation `PDM-4471`.")] });
        });
      },
    });
    b.chat({
      model: "gpt-5.5", requestModel: "gpt-5.5", ms: 1600, ttftMs: 610, http: "POST api.openai.example/v1/responses", finish: "stop", usage: { input: 5880, output: 494, cacheRead: 1024, reasoning: 124 },
      rewrites: { at: 0, why: "tools_changed", cachedBefore: 4096, cachedNow: 1024 }, toolsChanged: true,
      input: [b.result("call_9QxTr", "Booked: Le Potager du Marché, 14:00, two guests, about € 46. Confirmation PDM-4471.", "ask_restaurant_agent")],
      output: [assistant("Saturday looks rainy (9 °C), so here is an indoor plan:\n\n| Time | What | Note |\n|---|---|---|\n| 10:00 | **Musée d’Orsay** | upper level first, slot booked online |\n| 14:00 | *Le Potager du Marché* | vegetarian, ≈ € 46, code `PDM-4471` |\n| 16:00 | **Orangerie** | the Water Lilies; rain eases by then |\n\n1. Take the **RER C** to *Musée d’Orsay*.\n2. Walk over the Passerelle to lunch (9 minutes).\n3. The Orangerie is five minutes through the Tuileries.\n\nWould you like me to book the museum slots too? See [opening hours](https://www.musee-orsay.example/hours).")],
      other: assistant("Saturday looks rainy (9 °C), so here is an indoor plan: 10:00 Orsay, 14:00 lunch, 16:00 Orangerie."),
      evaluations: [{ name: "faithfulness", score: 0.94, label: "pass", explanation: "Each time and price occurs in a tool result.", at: b.startMs + 9000, by: "claude-opus-5" }, { name: "language", label: "pass", at: b.startMs + 9000 }],
    });
  });
}

/** An agent that works right now: a row without its parent yet, a call still going. */
export function running(b: Builder): void {
  b.service = "research-worker";
  b.conversation = "conv_live01";
  b.running = true;
  b.agent("deep-research", { system: "You research a question in parallel, then write a report with sources.", tools: [tool("spawn", "Starts a researcher on one question.", { question: "string" })], own: { state: "running", ghost: true, name: "" } }, () => {
    b.chat({ provider: "anthropic", model: "claude-opus-5", ms: 2400, ttftMs: 900, finish: "tool_use", input: [user("How do small language models compare on tool use? Cover open weights under 10B, and say what is measured.")], output: [assistant("Three angles, side by side.", asks("t1", "spawn", { question: "benchmarks of tool use for models below 10B parameters" }), asks("t2", "spawn", { question: "training recipes for function calling" }), asks("t3", "spawn", { question: "failure modes seen in the field" }))] });
    b.parallel(
      () => void b.tool("spawn", { id: "t1", ms: 0, body: () => void b.agent("researcher-1", { asked: "t1", system: "You answer one question from sources." }, () => {
        b.chat({ provider: "anthropic", model: "claude-sonnet-4-6", ms: 1800, finish: "tool_use", input: [user("benchmarks of tool use for models below 10B parameters")], output: [assistant(asks("s1", "web_search", { q: "BFCL v4 small models" }))] });
        b.tool("web_search", { id: "s1", ms: 640, result: "12 results" });
        b.chat({ provider: "anthropic", model: "claude-sonnet-4-6", ms: 3100, finish: "end_turn", input: [b.result("s1", "12 results: …")], output: [assistant("On BFCL-style suites the spread is large: …")] });
      }) }),
      () => void b.tool("spawn", { id: "t2", ms: 0, body: () => void b.agent("researcher-2", { asked: "t2", own: { state: "running" } }, () => {
        b.chat({ provider: "anthropic", model: "claude-sonnet-4-6", ms: 4200, running: true, input: [user("training recipes for function calling")] });
      }) }),
      () => void b.tool("spawn", { id: "t3", ms: 0, body: () => void b.agent("researcher-3", { asked: "t3", own: { state: "running" } }, () => {
        b.chat({ provider: "anthropic", model: "claude-sonnet-4-6", ms: 1200, retry: 0, error: { type: "rate_limit_error", message: "This request would exceed your organization's rate limit of 400,000 input tokens per minute." }, input: [user("failure modes seen in the field")] });
        b.chat({ provider: "anthropic", model: "claude-sonnet-4-6", ms: 2600, retry: 1, running: true });
      }) }),
    );
  });
}

/** Ten thousand spans: a batch that goes wrong here and there. */
export function large(b: Builder): void {
  b.service = "nightly-batch";
  b.agent("batch-classifier", { system: "Classify the ticket. Answer with one word." }, () => {
    for (let i = 0; b.rows.length < 9_990; i++) {
      b.span({ name: `ticket ${i}`, op: "react_step" }, 0, () => {
        b.chat({ model: "gpt-5.4-mini", ms: b.random.between(180, 900), http: "POST api.openai.example/v1/responses", finish: "stop", usage: { input: 812, output: 4, cacheRead: 512 }, content: "absent", hint: "Run it with otel-genai run --content true. A Rust program that has the library: set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true.", ...(b.random.chance(0.01) && { error: { type: "429", message: "Too many requests" } }) });
        b.tool("save_label", { ms: b.random.between(4, 20), body: () => void b.span({ name: "INSERT labels", op: "database", kind: "client" }, 3) });
      });
    }
  });
}

/** A prompt of one megabyte, and an answer that quotes it. */
export function megabyte(b: Builder): void {
  b.service = "contract-review";
  const line = "§ %. The supplier shall, without undue delay and in any case within the period named in Annex B, notify the customer of every deviation from the agreed service levels.\n";
  let all = "Review this contract and list every obligation with a deadline.\n\n";
  for (let i = 1; all.length < 1_048_576; i++) all += line.replace("%", String(i));
  b.system("You are a careful contract reviewer.");
  b.chat({ provider: "google", model: "gemini-2.5-flash", ms: 9400, ttftMs: 4100, finish: "stop", usage: { input: 262_104, output: 148 }, input: [user(all)], output: [assistant("## Obligations with a deadline\n\n- § 1 to § 6,300 repeat **one** obligation: notify every deviation *within the period of Annex B*.\n- Annex B itself is missing from the document.\n\n> Ask for Annex B before you sign.")] });
}

/** Chinese, Japanese, Korean, Arabic, Hebrew, and text that tries to turn the page around. */
export function languages(b: Builder): void {
  b.service = "翻訳サービス";
  b.dialects = ["loongsuite"];
  b.agent("翻译助手", { system: "你是一名专业翻译。保持语气，不要解释。" }, () => {
    b.chat({ provider: "dashscope", model: "qwen3-max", ms: 1900, ttftMs: 420, finish: "stop", input: [user("请把下面的句子翻译成日语、韩语和阿拉伯语：可观测性让我们看清智能体到底做了什么。")], output: [assistant("**日本語**：可観測性によって、エージェントが実際に何をしたのかを正確に把握できます。\n\n**한국어**: 관측 가능성은 에이전트가 실제로 무엇을 했는지 분명히 보여 줍니다.\n\n**العربية**: تتيح لنا قابلية المراقبة أن نرى بوضوح ما الذي فعله الوكيل فعلاً.")] });
    b.chat({ provider: "dashscope", model: "qwen3-max", ms: 1100, ttftMs: 380, finish: "stop", input: [user("וגם בעברית בבקשה. File name: \u202Egnp.exe\u202C should not fool anyone.")], output: [assistant("**עברית**: יכולת התצפית מאפשרת לנו לראות בבירור מה הסוכן עשה בפועל.\n\n```rust\n// 日本語のコメント\nfn main() { println!(\"שלום\"); }\n```")] });
  });
}

export const XSS = [
  "<script>globalThis.hurt=1</script>", "<img src=x onerror=globalThis.hurt=1>", "<svg onload=globalThis.hurt=1>", "<iframe srcdoc='<script>parent.hurt=1</script>'>", "[click](javascript:globalThis.hurt=1)",
  "[click](data:text/html;base64,PHNjcmlwdD4=)", "![x](https://tracker.example/p.png)", "<a href=\"javascript:globalThis.hurt=1\">x</a>", "\"><script>globalThis.hurt=1</script>", "<style>*{display:none}</style>",
  "<math><mtext></form><form><mglyph><style></math><img src onerror=globalThis.hurt=1>", "[x](  JaVaScRiPt:globalThis.hurt=1)", "<javascript:globalThis.hurt=1>", "{{constructor.constructor('globalThis.hurt=1')()}}", "__proto__", "[a](vbscript:x \"t\")", "[x](https://a.example\"onmouseover=\"globalThis.hurt=1)",
] as const;

/** Scripts in every string that a sender can choose. */
export function hostile(b: Builder): void {
  b.service = "<img src=x onerror=globalThis.hurt=1>";
  b.conversation = XSS[8];
  b.agent("<b>bold</b><script>globalThis.hurt=1</script>", { system: XSS.join("\n"), tools: [tool(XSS[1], XSS[0], { [XSS[2]]: "string" })] }, () => {
    b.chat({ model: XSS[1], provider: XSS[0], ms: 800, finish: XSS[2], usage: { input: 10, output: 10 }, input: [user(XSS.join("\n\n"))], output: [assistant(reasoning(XSS.join("\n")), XSS.map((s) => `- ${s}`).join("\n"), asks(XSS[8], XSS[1], { [XSS[0]]: XSS[1], __proto__x: XSS[9] }))] });
    b.tool(XSS[1], { id: XSS[8], ms: 100, error: { type: XSS[0], message: XSS[1] } });
    b.chat({ ms: 500, finish: "stop", input: [b.result(XSS[8], { html: XSS[0], list: [...XSS] }, XSS[1])], output: [{ role: XSS[2], parts: [text(`| ${XSS[0]} | b |\n|---|---|\n| ${XSS[1]} | \`${XSS[2]}\` |`), { type: "generic", kind: XSS[0], value: { x: XSS[1] } }, { type: "media", modality: "image", mime: "image/svg+xml", uri: "https://tracker.example/x.svg" }] }] });
  });
}

/** Nothing captured: says which setting would change it. */
export function silent(b: Builder): void {
  b.service = "checkout-assistant";
  b.dialects = ["gen_ai"];
  b.agent("checkout-helper", {}, () => {
    for (let i = 0; i < 3; i++) b.chat({ ms: 700 + i * 90, finish: "stop", usage: { input: 900 + i * 240, output: 80 }, content: "absent", hint: "Set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event and OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental." });
  });
}

/** A coding agent of which only logs tell. */
export function coding(b: Builder): void {
  b.service = "claude-code";
  b.synthetic = true;
  b.dialects = ["claude_code"];
  b.carriers = ["coding_agent"];
  b.conversation = "session 7f31c9e2";
  b.agent("claude-code", { own: { inferred: true, name: "session 7f31c9e2" } }, () => {
    b.chat({ provider: "anthropic", model: "claude-opus-5", ms: 5200, finish: "tool_use", usage: { input: 18_204, output: 412, cacheRead: 16_800 }, input: [user("The date parser fails on leap seconds. Find out why and fix it.")], output: [assistant("I'll look at the parser and its tests.", asks("tu_1", "Grep", { pattern: "23:59:60", path: "src/" }), asks("tu_2", "Read", { file: "src/time/parse.rs", lines: "1-220" }))] });
    b.parallel(() => void b.tool("Grep", { id: "tu_1", ms: 60 }), () => void b.tool("Read", { id: "tu_2", ms: 12 }));
    b.chat({ provider: "anthropic", model: "claude-opus-5", ms: 8100, finish: "tool_use", usage: { input: 22_390, output: 988, cacheRead: 18_204 }, input: [b.result("tu_1", "src/time/parse.rs:141: // 23:59:60 is refused", "Grep"), b.result("tu_2", "fn seconds(text: &str) -> Option<u8> {\n    let n: u8 = text.parse().ok()?;\n    (n < 60).then_some(n)\n}", "Read")], output: [assistant("The bound is wrong: `n < 60` refuses `:60`. It is allowed at 23:59 UTC alone.\n\n```diff\n-    (n < 60).then_some(n)\n+    (n < 60 || (n == 60 && at_leap(hour, minute))).then_some(n)\n```", asks("tu_3", "Edit", { file: "src/time/parse.rs", old: "(n < 60).then_some(n)", new: "(n < 60 || (n == 60 && at_leap(hour, minute))).then_some(n)" }), asks("tu_4", "Bash", { command: "cargo test -p time parse" }))] });
    b.tool("Edit", { id: "tu_3", ms: 30 });
    b.tool("Bash", { id: "tu_4", ms: 14_200, error: { type: "exit 101", message: "test parse::leap ... FAILED" } });
    b.chat({ provider: "anthropic", model: "claude-opus-5", ms: 3900, finish: "end_turn", usage: { input: 24_010, output: 230, cacheRead: 22_390 }, input: [b.result("tu_3", "ok"), b.result("tu_4", "running 14 tests\ntest parse::leap ... FAILED\n\nassertion failed: parse(\"2016-12-31T23:59:60Z\").is_ok()\n  at_leap(23, 59) = false: hour is taken before the offset is applied", "Bash")], output: [assistant("`at_leap` looks at the local hour. I'll move the check behind the offset.")] });
  });
}

const QUESTIONS: [service: string, agent: string, system: string, questions: string[], answers: string[], tools: string[]][] = [
  ["support-bot", "support", "You help customers of an online shop.", ["Where is my order 88121? It should have come on Friday.", "I want to return the blue jacket, it is too small.", "My voucher code WINTER26 does not work.", "Can I change the delivery address after I paid?", "You charged me twice for order 90417."], ["Your parcel left the depot this morning and arrives tomorrow before noon.", "I've sent you a return label. The refund takes three to five days.", "The code is valid from 60 € on; your basket holds 54,90 €."], ["lookup_order", "create_return", "check_voucher"]],
  ["docs-rag", "docs-qa", "Answer from the documents alone. Quote them.", ["How do I rotate the signing keys without downtime?", "Which limits hold for the free plan?", "What does error E4012 mean?", "Is there a way to export the audit log?"], ["Create the second key, wait one TTL, then retire the first (*Keys › Rotation*).", "**E4012** means that the webhook answered too late: raise `timeout_ms`, or answer at once and work later."], ["search_docs", "rerank_docs"]],
  ["code-review", "reviewer", "Review the diff. Only real defects.", ["Review PR #2291: retry policy of the uploader", "Review PR #2304: move sessions to Redis", "Review PR #2310: pagination cursors"], ["One defect: the retry loop swallows `CancelledError` in line 88.", "No defects. Consider a test for the empty page."], ["read_file", "run_tests", "list_changes"]],
  ["data-analyst", "analyst", "You answer questions on data by SQL.", ["Revenue by region last quarter, compared with the year before", "Which features do churned customers use least?", "Daily active users in October, without bots"], ["EMEA grew by 12 %, APAC by 31 %, AMER shrank by 2 %.", "Churned customers open *Reports* six times less often."], ["run_sql", "plot"]],
];

/** Everyday runs, to fill the list. */
export function everyday(b: Builder): void {
  const r = b.random;
  const [service, agent, system, questions, answers, tools] = r.pick(QUESTIONS);
  b.service = service;
  if (r.chance(0.6)) b.conversation = `conv_${r.int(100, 160)}`;
  const [provider, model] = r.pick([["openai", "gpt-5.4-mini"], ["openai", "gpt-5.4-mini"], ["openai", "gpt-5.5"], ["anthropic", "claude-sonnet-4-6"], ["google", "gemini-2.5-flash"], ["ollama", "llama4:8b"]] as const);
  b.dialects = [r.pick(["2026-08", "2026-08", "v1.30", "openinference", "vercel"] as const)];
  b.carriers = b.dialects[0] === "openinference" ? ["openinference"] : b.dialects[0] === "vercel" ? ["vercel"] : b.dialects[0] === "v1.30" ? ["log_legacy"] : ["span_attribute"];
  const stream = r.chance(0.6);
  const steps = r.int(0, 4);
  const fails = r.chance(0.09);
  const ask = r.pick(questions);
  b.agent(agent, { system, tools: tools.map((name) => tool(name, `Runs ${name.replace("_", " ")}.`, { query: "string" })), ...(fails && { error: "rate_limit_exceeded" }) }, () => {
    let input = [user(ask)];
    for (let i = 0; i < steps; i++) {
      const name = r.pick(tools);
      const id = `call_${r.hex(6)}`;
      b.chat({ provider, model, ms: r.between(300, 2400), ...(stream && { ttftMs: r.between(120, 700) }), http: `POST api.${provider}.example`, finish: "tool_calls", input, output: [assistant(asks(id, name, { query: ask.slice(0, 40) }))] });
      const bad = r.chance(0.08);
      b.tool(name, { id, ms: r.between(20, 1200), ...(bad && { error: { type: r.pick(["timeout", "ValueError", "403"]), message: "the upstream did not answer in time" } }) });
      input = [b.result(id, bad ? "error: the upstream did not answer in time" : { ok: true, rows: r.int(1, 40) }, name)];
    }
    if (fails) b.chat({ provider, model, ms: r.between(100, 400), error: { type: "rate_limit_exceeded", message: "Rate limit reached for requests per minute. Try again in 20 s." }, input });
    else b.chat({ provider, model, ms: r.between(500, 3800), ...(stream && { ttftMs: r.between(120, 900) }), http: `POST api.${provider}.example`, finish: r.chance(0.03) ? "length" : "stop", input, output: [assistant(r.pick(answers))] });
  });
}

/** A span with attributes of every type, events, links; for the panels. */
export function odd(b: Builder): void {
  b.service = "odd-shapes";
  const row = b.span({ name: "a span with attributes of every type", kind: "producer" }, 12);
  b.tell(row, {
    attributes: [...attributes({ text: "plain", empty: "", flag: true, float: 1.5, "a.key.that.is.very.long.indeed.and.goes.on.beyond.any.column.width": "and its value is long too: ".repeat(12), json: JSON.stringify({ nested: { list: [1, 2, { deep: true }] } }) }), { key: "big", value: { int: "9007199254740993" } }, { key: "bytes", value: { bytes: "AAECAw==", length: 4 } }, { key: "map", value: { map: [["a", 1], ["b", { list: ["x", { empty: true }] }]] } }, { key: "nothing", value: { empty: true } }],
    events: [{ name: "checkpoint", at: 4, attributes: attributes({ step: 2 }) }],
  });
  const orphan = b.span({ name: "its parent never came", op: "http", kind: "server", orphan: true, depth: 0, parent: "00000000000000aa" }, 5);
  orphan.at = 3;
}

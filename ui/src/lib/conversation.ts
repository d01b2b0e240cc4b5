/**
 * The transcript as a column of items to read from top to bottom: each message once, a sub-agent's
 * conversation where it was asked for. Pure; the order of calls and what is new comes from the server.
 */
import type { Call, Chain, Hash, Join, Message, Part, Seen, Transcript } from "../api";

export type Item = { depth: number; id: string } & (
  | { type: "system"; call: Call; seen: Seen; same: number }
  | { type: "message"; call: Call; seen: Seen; message: Message; slot: "input" | "output"; open?: boolean }
  | { type: "call"; call: Call; slim?: boolean }
  | { type: "notice"; call: Call; calls: number }
  | { type: "break"; call: Call }
  | { type: "carried"; call: Call; count: number }
  | { type: "chain"; chain: Chain; open: boolean; calls: Call[] }
);

export interface Reading {
  items: Item[];
  /** Where a span is told of: the item to scroll to. */
  bySpan: Map<string, string>;
  byCall: Map<number, string>;
}

export interface Choice {
  /** Sub-agents that are closed. */
  closed: ReadonlySet<number>;
  /** One call alone, and of it only what is new. */
  only?: number | undefined;
  /** One chain alone. */
  chain?: number | undefined;
}

export function joins(part: Part): Join | undefined {
  return part.type === "tool_call" || part.type === "tool_call_response" ? part.join : undefined;
}

export function read(transcript: Transcript, choice: Choice): Reading {
  const items: Item[] = [];
  const bySpan = new Map<string, string>();
  const byCall = new Map<number, string>();
  const calls = new Map<number, Call[]>();
  for (const call of transcript.calls) calls.set(call.chain, [...(calls.get(call.chain) ?? []), call]);
  const names = named(transcript.calls);
  const chains = new Map(transcript.chains.map((chain) => [chain.id, chain]));
  const shown = new Set<number>();
  let noticed = false;

  const putCall = (call: Call, depth: number, before: Call | undefined, all: Call[]) => {
    const id = (what: string) => `${names.get(call)}:${what}`;
    const mark = (item: string, force = false) => {
      if (call.span && (force || !bySpan.has(call.span))) bySpan.set(call.span, item);
      if (force || !byCall.has(call.ordinal)) byCall.set(call.ordinal, item);
    };
    if (call.break) items.push({ type: "break", id: id("break"), depth, call });
    const told = call.system.map((seen) => seen.message).join();
    if (choice.only === undefined && told && told !== before?.system.map((seen) => seen.message).join()) {
      const same = all.filter((other) => other.system.map((seen) => seen.message).join() === told).length;
      call.system.forEach((seen, i) => items.push({ type: "system", id: id(`s${i}`), depth, call, seen, same }));
    }
    if (choice.only !== undefined && call.carried > 0) items.push({ type: "carried", id: id("carried"), depth, call, count: call.carried });
    call.input.forEach((seen, i) => put(seen, "input", id(`i${i}`), call, depth, mark));
    if (call.output.length) call.output.forEach((seen, i) => put(seen, "output", id(`o${i}`), call, depth, mark));
    if (!call.output.length || call.error) {
      // Where nothing was captured it is said once; each call then is a line.
      const slim = unheard(call) && !call.error;
      if (slim && !noticed) items.push({ type: "notice", id: "notice", depth, call, calls: transcript.next === undefined ? transcript.calls.filter(unheard).length : 0 });
      noticed ||= slim;
      items.push({ type: "call", id: id("call"), depth, call, ...(slim && { slim }) });
      mark(id("call"), call.output.length === 0);
    }
  };

  const put = (seen: Seen, slot: "input" | "output", id: string, call: Call, depth: number, mark: (item: string, force?: boolean) => void) => {
    const message = transcript.messages[seen.message];
    if (!message) return;
    // Alone, a call does not show the calls that its tools' answers stand with: they are shown here.
    items.push({ type: "message", id, depth, call, seen, message, slot, ...(choice.only !== undefined && { open: true }) });
    mark(id, slot === "output");
    for (const part of message.parts) {
      const join = joins(part);
      if (!join) continue;
      if (join.span && part.type === "tool_call") bySpan.set(join.span, id);
      if (part.type === "tool_call" && join.chain !== undefined && choice.only === undefined) putChain(join.chain, depth + 1);
    }
  };

  const putChain = (number: number, depth: number) => {
    const chain = chains.get(number);
    if (!chain || shown.has(number)) return;
    shown.add(number);
    const all = calls.get(number) ?? [];
    const open = !choice.closed.has(number);
    if (depth > 0 || chains.size > 1) {
      const id = `chain:${number}`;
      items.push({ type: "chain", id, depth, chain, open, calls: all });
      if (chain.span) bySpan.set(chain.span, id);
      if (!open) {
        for (const call of all) {
          byCall.set(call.ordinal, id);
          if (call.span) bySpan.set(call.span, id);
        }
        return;
      }
    }
    all.forEach((call, i) => putCall(call, depth, all[i - 1], all));
  };

  if (choice.only !== undefined) {
    const call = transcript.calls.find((one) => one.ordinal === choice.only);
    if (call) putCall(call, 0, undefined, []);
    return { items, bySpan, byCall };
  }
  if (choice.chain !== undefined) putChain(choice.chain, 0);
  else {
    // A chain that another one asked for stands where it was asked; the rest in the order they began.
    const asked = new Set<number>();
    for (const message of Object.values(transcript.messages)) for (const part of message.parts) {
      const join = joins(part);
      if (part.type === "tool_call" && join?.chain !== undefined) asked.add(join.chain);
    }
    for (const chain of transcript.chains) if (!asked.has(chain.id)) putChain(chain.id, chain.parent === undefined ? 0 : 1);
    for (const chain of transcript.chains) if (!shown.has(chain.id) && !hidden(chain, chains, choice)) putChain(chain.id, chain.parent === undefined ? 0 : 1);
  }
  return { items, bySpan, byCall };
}

/**
 * A name for each call that lasts while a run goes on: one that began earlier may come later and shifts the numbers.
 * Spans may have one id twice.
 */
function named(calls: readonly Call[]): Map<Call, string> {
  const names = new Map<Call, string>();
  const taken = new Set<string>();
  for (const call of calls) {
    const name = call.span === undefined || taken.has(call.span) ? `${call.span ?? ""}.${call.ordinal}` : call.span;
    taken.add(name);
    names.set(call, name);
  }
  return names;
}

/** Nothing is known of what was said, though the call is over. */
function unheard(call: Call): boolean {
  return call.state === "ended" && call.content !== "here" && call.input.length === 0 && call.output.length === 0;
}

/** One answer after the other: calls that were asked for later, behind those that are here. */
export function joined(first: Transcript, next: Transcript): Transcript {
  const known = new Set(next.chains.map((chain) => chain.id));
  // A call that was told late puts those behind it a place further on, into the next answer.
  const here = new Set(first.calls.map((call) => call.span));
  const { next: _, ...rest } = next;
  return {
    ...rest,
    chains: [...first.chains.filter((chain) => !known.has(chain.id)), ...next.chains].sort((a, b) => a.id - b.id),
    calls: [...first.calls, ...next.calls.filter((call) => call.span === undefined || !here.has(call.span))],
    messages: { ...first.messages, ...next.messages },
    tools: { ...first.tools, ...next.tools },
    ...(next.next !== undefined && { next: next.next }),
  };
}

function hidden(chain: Chain, chains: ReadonlyMap<number, Chain>, choice: Choice): boolean {
  let up = chain.parent;
  for (let i = 0; up !== undefined && i < 64; i++) {
    if (choice.closed.has(up)) return true;
    up = chains.get(up)?.parent;
  }
  return false;
}

/** A guess of an item's height, from what it holds. Only has to be near. */
export function guess(item: Item): number {
  switch (item.type) {
    case "system":
      return 38;
    case "break":
    case "carried":
      return 34;
    case "chain":
      return 42;
    case "call":
      return item.slim ? 36 : 84;
    case "notice":
      return 76;
    case "message": {
      if (quiet(item.message)) return 36;
      let height = 48;
      for (const part of item.message.parts) {
        if (part.type === "text") height += Math.min(600, 22 + Math.ceil(part.content.length / 90) * 20);
        else if (part.type === "reasoning") height += 34;
        else height += 110;
      }
      return height;
    }
  }
}

/** A tool's answer that already stands with the call that asked for it. */
export function quiet(message: Message): boolean {
  return message.parts.length > 0 && message.parts.every((part) => part.type === "tool_call_response" && part.join?.asked !== undefined);
}

/** What a tool answered: the part of the message that carries it back. */
export function answerTo(part: Extract<Part, { type: "tool_call" }>, messages: Record<Hash, Message>): Extract<Part, { type: "tool_call_response" }> | undefined {
  const message = part.join?.response === undefined ? undefined : messages[part.join.response];
  for (const other of message?.parts ?? []) if (other.type === "tool_call_response" && (other.id === part.id || message?.parts.length === 1)) return other;
  return undefined;
}

/** Text of a message alone, for copying. */
export function messageText(message: Message): string {
  return message.parts.map((part) => {
    switch (part.type) {
      case "text":
      case "reasoning":
      case "compaction":
        return part.content;
      case "tool_call":
        return `${part.name}(${part.raw ?? JSON.stringify(part.arguments ?? {})})`;
      case "tool_call_response":
      case "server_tool_call_response":
        return typeof part.response === "string" ? part.response : JSON.stringify(part.response);
      case "server_tool_call":
        return `${part.name}(${JSON.stringify(part.call)})`;
      case "media":
        return `[${part.modality} ${part.mime ?? ""} ${part.uri ?? part.fileId ?? ""}]`;
      case "generic":
        return JSON.stringify(part.value);
    }
  }).join("\n\n");
}

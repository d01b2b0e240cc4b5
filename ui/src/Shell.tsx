/** What stays while pages change: rail, foot, keys, palette, help. */
import { Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { helpOpen, paletteOpen, useKeys } from "./keys";
import { bytes, count, plural } from "./lib/format";
import { line, status } from "./live";
import { Overview } from "./page/Overview";
import { Trace } from "./page/Trace";
import { Traces } from "./page/Traces";
import { type Page, RAIL, split } from "./pages";
import { nextTheme, theme } from "./state/theme";
import { go, path } from "./state/url";
import { Button, Empty } from "./ui/bits";
import { Help } from "./ui/Help";
import { Icon } from "./ui/Icon";
import { lazy } from "./ui/lazy";
import { title, Top } from "./ui/Top";

const PAGES: Record<string, Page> = {
  "": Overview,
  traces: Traces,
  trace: Trace,
  conversations: lazy(async () => (await import("./page/more")).Conversations),
  conversation: lazy(async () => (await import("./page/more")).Conversation),
  agents: lazy(async () => (await import("./page/more")).Agents),
  models: lazy(async () => (await import("./page/more")).Models),
  logs: lazy(async () => (await import("./page/more")).Logs),
  search: lazy(async () => (await import("./page/more")).Search),
  compare: lazy(async () => (await import("./page/more")).Compare),
  metrics: lazy(async () => (await import("./page/more")).Metrics),
  services: lazy(async () => (await import("./page/more")).Services),
  doctor: lazy(async () => (await import("./page/more")).Doctor),
  settings: lazy(async () => (await import("./page/more")).Settings),
};

const ID_PAGES = new Set(["trace", "conversation"]);
/** Pages that are not in the rail. */
const OTHER_NAMES: Record<string, string> = { trace: "Trace", conversation: "Conversation", compare: "Compare" };

export function Shell() {
  const { name, id } = split(path.value);
  // A trace and a conversation have ids, the others none.
  const Page: ComponentType<{ id: string }> | undefined = ID_PAGES.has(name) === (id !== "") ? PAGES[name] : undefined;
  useKeys([
    ...RAIL.map((page) => ({ keys: `g ${page.key}`, does: page.name, group: "Go to", run: () => go(page.path) })),
    { keys: "mod+k", does: "Search and commands", group: "Everywhere", run: () => { paletteOpen.value = true; } },
    { keys: "?", does: "Keys", group: "Everywhere", run: () => { helpOpen.value = !helpOpen.value; } },
    { keys: "T", does: "Light, dark, or as the system", group: "Everywhere", run: nextTheme },
  ]);
  useEffect(() => {
    const page = RAIL.find((one) => one.path === `/${name}`)?.name ?? OTHER_NAMES[name];
    document.title = `${title.value || (Page && page) || "No such page"} · otel-genai`;
  }, [name, id, title.value]);
  return (
    <div class="shell">
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); event.stopPropagation(); document.getElementById("content")?.focus(); }}>Skip to content</a>
      <Rail name={name} />
      <main id="content" tabIndex={-1}>
        <Boundary key={`${name}/${id}`}>
          {Page ? <Page id={id} /> : <NoPage />}
        </Boundary>
      </main>
      <Foot />
      {paletteOpen.value && <LazyPalette id="" />}
      {helpOpen.value && <Help />}
    </div>
  );
}

const LazyPalette = lazy(async () => (await import("./ui/Palette")).Palette);

function Rail({ name }: { name: string }) {
  const at = name === "trace" ? "traces" : name === "conversation" ? "conversations" : name;
  return (
    <nav class="rail" aria-label="Pages">
      <a class="mark" href="/" aria-label="otel-genai, overview">
        <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true"><path d="M6 9h13M11 16h15M6 23h9" /></svg>
      </a>
      {RAIL.map((page) => (
        <a key={page.path} href={page.path} class="tip" data-tip={`${page.name}  G ${page.key.toUpperCase()}`} aria-label={page.name} aria-current={`/${at}` === page.path ? "page" : undefined}>
          <Icon name={page.icon} size={18} />
        </a>
      ))}
      <span class="grow" />
      <button type="button" class="tip" data-tip={`Theme: ${theme.value}`} aria-label={`Theme: ${theme.value}`} onClick={nextTheme}>
        <Icon name={theme.value === "auto" ? "auto" : theme.value === "light" ? "sun" : "moon"} size={18} />
      </button>
      <button type="button" class="tip" data-tip="Keys  ?" aria-label="Keys" onClick={() => { helpOpen.value = true; }}>
        <Icon name="help" size={18} />
      </button>
    </nav>
  );
}

/** An address that leads nowhere: says which, and where one can go. */
function NoPage() {
  return (
    <div class="page">
      <Top crumbs={<h1>No such page</h1>} />
      <div class="scroll" tabIndex={0} role="region" aria-label="No such page">
        <Empty title="There is no page at this address" icon="search">
          <p><code><bdi>{path.value}</bdi></code></p>
          <p>A link may have been cut on its way. These are the pages:</p>
          <ul class="places">{RAIL.map((page) => <li key={page.path}><a class="btn plain" href={page.path}><Icon name={page.icon} size={14} />{page.name}</a></li>)}</ul>
        </Empty>
      </div>
    </div>
  );
}

const LINES = { connecting: "connecting", live: "live", polling: "asking every 3 s", lost: "no connection" } as const;

function Foot() {
  const now = status.value;
  return (
    <footer class="foot">
      <span class={`line ${line.value}`}><i aria-hidden="true" />{LINES[line.value]}</span>
      {now && (
        <>
          <span>{plural(now.traces, "trace")}</span>
          <span>{plural(now.spans, "span")}</span>
          <span class="opt">{plural(now.logs, "log")}</span>
          <span class="opt">{count(now.perSecond)} spans/s in</span>
          <span title={now.location}>{bytes(now.bytes)}{now.limitBytes ? ` of ${bytes(now.limitBytes)}` : ""}</span>
          {now.readOnly && <span class="t-warn">read only</span>}
          {now.damaged.length > 0 && <span class="t-err" title={now.damaged.join("\n")}>{plural(now.damaged.length, "damaged file")}</span>}
          {now.indexBehind > 0 && <span class="opt">search is {plural(now.indexBehind, "item")} behind</span>}
          <span class="grow" />
          <span class="opt">{now.dialects.map((one) => `${one.dialect} (${one.services})`).join(" · ")}</span>
          {now.findings > 0 && <a class="t-warn" href="/doctor">see the Doctor</a>}
        </>
      )}
    </footer>
  );
}

/** A defect in one page does not take the others with it. */
class Boundary extends Component<{ children: ComponentChildren }, { error?: unknown }> {
  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }
  render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div class="page">
        <Empty icon="error" title="This page broke">
          <p>{String(this.state.error)}</p>
          <Button onClick={() => location.reload()}>Reload</Button>
        </Empty>
      </div>
    );
  }
}

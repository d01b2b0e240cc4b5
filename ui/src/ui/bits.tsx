/** Small things that every page is made of. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Op } from "../api";
import type { Got, Problem } from "../client";
import { ago, exact, shortId } from "../lib/format";
import { kind, letter, UNNAMED, word } from "../lib/ops";
import { now } from "../live";
import { Icon, type IconName } from "./Icon";

export function Glyph({ op, error }: { op?: Op | undefined; error?: boolean | undefined }) {
  return (
    <span class={`glyph k-${error ? "err" : kind(op)}`} title={error ? `${word(op)}, failed` : word(op)} aria-hidden="true">
      {error ? "!" : letter(op)}
    </span>
  );
}

export function Pill({ children, mono, tone, title }: { children: ComponentChildren; mono?: boolean; tone?: "err" | "warn" | "ok" | "acc"; title?: string }) {
  return (
    <span class={`pill${mono ? " mono" : ""}${tone ? ` t-${tone}` : ""}`} title={title}>
      {children}
    </span>
  );
}

export function Time({ at }: { at: number }) {
  return (
    <time dateTime={Number.isFinite(at) ? new Date(at).toISOString() : ""} title={exact(at)}>
      {ago(at, now.value)}
    </time>
  );
}

export async function copy(text: string | (() => string | Promise<string>)): Promise<boolean> {
  try {
    const all = typeof text === "string" ? text : await text();
    if (!navigator.clipboard) return copyByHand(all);
    await navigator.clipboard.writeText(all);
    return true;
  } catch {
    return false;
  }
}

/** Browsers have no clipboard on plain HTTP beyond the own machine. What is selected can be copied all the same. */
function copyByHand(text: string): boolean {
  const before = document.activeElement as HTMLElement | null;
  const box = document.createElement("textarea");
  box.value = text;
  box.className = "sr";
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  before?.focus();
  return done;
}

/** An id, short, that copies itself whole. */
export function Id({ value, label, full }: { value: string; label: string; full?: boolean }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1200);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button type="button" class={`pill mono idpill${done ? " done" : ""}`} title={`Copy ${label}: ${value}`} aria-label={`${full ? value : shortId(value)}, copy the ${label}`} onClick={async (event) => {
      event.stopPropagation();
      setDone(await copy(value));
    }}>
      <bdi>{full ? value : shortId(value)}</bdi>
      {done && <Icon name="check" size={11} />}
    </button>
  );
}

export function Button({ children, icon, onClick, title, pressed, kind: look, disabled, keys }: { children?: ComponentChildren; icon?: IconName; onClick: () => void; title?: string; pressed?: boolean; kind?: "plain" | "ghost" | "primary"; disabled?: boolean; keys?: string }) {
  return (
    <button type="button" class={`btn ${look ?? "plain"}`} onClick={onClick} title={title} aria-label={children ? undefined : title} aria-pressed={pressed} disabled={disabled}>
      {icon && <Icon name={icon} size={14} />}
      {children}
      {keys && <kbd>{keys}</kbd>}
    </button>
  );
}

/** Nothing here: says why, and what to do. */
export function Empty({ title, children, icon = "inbox" }: { title: string; children?: ComponentChildren; icon?: IconName }) {
  return (
    <div class="empty">
      <Icon name={icon} size={22} />
      <h2>{title}</h2>
      {children && <div class="empty-text">{children}</div>}
    </div>
  );
}

export function Failed({ error, again }: { error: Problem; again: () => void }) {
  return (
    <div class="empty failed" role="alert">
      <Icon name="error" size={22} />
      <h2>{error.message}</h2>
      {error.hint && <p class="empty-text">{error.hint}</p>}
      <Button onClick={again}>Try again</Button>
    </div>
  );
}

/**
 * Over what was asked for: a thin bar while it comes, only after a moment, so that quick answers do not blink;
 * and a line where what is shown could not be renewed.
 */
export function Busy({ of }: { of: Got<unknown> }) {
  return (
    <>
      <div class={`busy${of.loading && (of.held || !of.data) ? " on" : ""}`} aria-hidden="true" />
      {of.error && of.data !== undefined && <Stale what="What is shown could not be renewed" error={of.error} again={of.again} />}
    </>
  );
}

/** Under a list whose next page could not be had: it does not end here. */
export function Stuck({ of }: { of: { stuck: Problem | undefined; more: () => Promise<void> } }) {
  return of.stuck ? <Stale what="More could not be loaded" error={of.stuck} again={() => void of.more()} /> : null;
}

function Stale({ what, error, again }: { what: string; error: Problem; again: () => void }) {
  return <p class="stale" role="alert"><Icon name="error" size={13} /><span class="ell" title={error.hint}>{what}: <Text value={error.message} /></span><button type="button" class="link" onClick={again}>Try again</button></p>;
}

/** Grey rows in the place of those to come. */
export function Skeleton({ rows = 12, height = 30 }: { rows?: number; height?: number }) {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} style={{ height: `${height}px` }}>
          <i style={{ width: `${30 + ((i * 37) % 50)}%` }} />
        </div>
      ))}
    </div>
  );
}

/** Characters that turn text around or hide in it, made visible. */
const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b\ufeff]/;
const NAMES: Record<string, string> = { "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO", "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\u200b": "ZWSP", "\ufeff": "BOM" };

export function Text({ value }: { value: string }) {
  if (!HIDDEN.test(value)) return <>{value}</>;
  const parts = value.split(new RegExp(`(${HIDDEN.source})`));
  return (
    <>
      {parts.map((part, i) => {
        if (i % 2 === 0) return part;
        const code = `U+${part.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
        return (
          <span key={i} class="ctl" title={`${code}: a character that is not seen`}>
            {NAMES[part] ?? code}
          </span>
        );
      })}
    </>
  );
}

/** A name that leads to what has it. What its sender left without one is in no filter, so it leads nowhere. */
export function Named({ name, to }: { name: string; to: string }) {
  return name ? <a href={to}><b><bdi><Text value={name} /></bdi></b></a> : <i class="mut">{UNNAMED}</i>;
}

export function Tabs<T extends string>({ label, tabs, value, onChange, panel, children }: { label: string; tabs: { id: T; text: string; count?: number | undefined }[]; value: T; onChange: (id: T) => void; panel: string; children?: ComponentChildren }) {
  return (
    <div class="tabs">
      <div role="tablist" aria-label={label} onKeyDown={(event) => {
        const at = tabs.findIndex((tab) => tab.id === value);
        const next = event.key === "ArrowRight" ? at + 1 : event.key === "ArrowLeft" ? at - 1 : event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : undefined;
        const tab = next === undefined ? undefined : tabs[(next + tabs.length) % tabs.length];
        if (!tab) return;
        event.preventDefault();
        event.stopPropagation();
        onChange(tab.id);
        (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-tab="${tab.id}"]`)?.focus();
      }}>
        {tabs.map((tab) => (
          <button key={tab.id} type="button" role="tab" data-tab={tab.id} id={`${panel}-${tab.id}`} aria-controls={panel} aria-selected={tab.id === value} tabIndex={tab.id === value ? 0 : -1} onClick={() => onChange(tab.id)}>
            {tab.text}
            {tab.count !== undefined && <span class="n">{tab.count}</span>}
          </button>
        ))}
      </div>
      <span class="grow" />
      {children}
    </div>
  );
}

/** A menu below a button; closes by Escape, Tab, a click elsewhere, or a choice. While it is open, keys are its own. */
export function Menu({ label, icon, items }: { label: string; icon?: IconName; items: { text: string; hint?: string; href?: string; run?: () => void }[] }) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const choices = () => [...(list.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useLayoutEffect(() => {
    if (open) choices()[0]?.focus();
  }, [open]);
  useEffect(() => {
    if (!open) return;
    const away = () => setOpen(false);
    document.addEventListener("click", away);
    return () => document.removeEventListener("click", away);
  }, [open]);
  return (
    <div class="menu" onKeyDown={(event) => {
      if (!open) return;
      event.stopPropagation();
      if (event.key === "Escape" || event.key === "Tab") return close();
      const all = choices();
      const at = all.indexOf(document.activeElement as HTMLElement);
      const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      all.at(next % all.length)?.focus();
    }}>
      <button ref={button} type="button" class="btn plain" aria-haspopup="menu" aria-expanded={open} onClick={(event) => {
        event.stopPropagation();
        setOpen(!open);
      }}>
        {icon && <Icon name={icon} size={14} />}
        {label}
        <Icon name="down" size={11} />
      </button>
      {open && (
        <div role="menu" class="menu-list" ref={list} onClick={() => button.current?.focus()}>
          {items.map((item) =>
            item.href ? (
              <a key={item.text} role="menuitem" href={item.href} download tabIndex={-1}>
                {item.text}
                {item.hint && <small>{item.hint}</small>}
              </a>
            ) : (
              <button key={item.text} type="button" role="menuitem" tabIndex={-1} onClick={() => item.run?.()}>
                {item.text}
                {item.hint && <small>{item.hint}</small>}
              </button>
            ),
          )}
        </div>
      )}
    </div>
  );
}

export function Check({ checked, onChange, children, title }: { checked: boolean; onChange: (on: boolean) => void; children: ComponentChildren; title?: string }) {
  return (
    <label class="check" title={title}>
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      {children}
    </label>
  );
}

/** Attributes of a span, to read and to search; GenAI ones first. */
import { useMemo, useState } from "preact/hooks";
import type { Any, Attribute } from "../api";
import { getText, problem } from "../client";
import { bytes, plural } from "../lib/format";
import { Text } from "../ui/bits";
import { CopyText } from "../ui/CopyText";
import { Json, parsed } from "../ui/Json";
import { Chunks, Long } from "../ui/Long";

/** As JSON would have it, for the eye and for copying. */
export function plain(value: Any): unknown {
  if (typeof value !== "object") return value;
  if ("int" in value) return value.int;
  if ("bytes" in value) return `base64 ${value.bytes} (${bytes(value.length)})`;
  if ("list" in value) return value.list.map(plain);
  if ("map" in value) return Object.fromEntries(value.map.map(([key, one]) => [key, plain(one)]));
  return "(empty)";
}

export function AnyView({ attribute }: { attribute: Attribute }) {
  const { value, json, cut, more } = attribute;
  const told = useMemo(() => (typeof value !== "string" ? plain(value) : json && cut === undefined ? parsed(value) : undefined), [value, json, cut]);
  if (typeof value === "string") {
    if (told !== undefined) return <Json value={told} />;
    return value === "" ? <span class="nil">empty</span> : <Long content={value} cut={cut} more={more} markdown={false} />;
  }
  if (typeof value === "object") return "empty" in value ? <span class="nil">empty</span> : "int" in value ? <span class="num">{value.int}</span> : cut === undefined ? <Json value={told} /> : <Beginning key={more} value={told} cut={cut} more={more} />;
  return <span class={typeof value === "number" ? "num" : "word"}>{String(value)}</span>;
}

/** A structured value of which only the beginning came: says so, and fetches the rest. */
function Beginning({ value, cut, more }: { value: unknown; cut: number; more: string | undefined }) {
  const [all, setAll] = useState<string | undefined>();
  const [failed, setFailed] = useState<string | undefined>();
  const whole = useMemo(() => (all === undefined ? undefined : parsed(all)), [all]);
  if (whole !== undefined) return <Json value={whole} />;
  if (all !== undefined) return <Chunks text={all} />;
  return (
    <>
      <Json value={value} />
      <div class="long-foot">
        <span class="t-warn">The beginning of {bytes(cut)}</span>
        {more && <button type="button" class="link" onClick={() => getText(more).then(setAll, (error) => setFailed(problem(error).message))}>Load all</button>}
        {failed && <span class="t-err">{failed}</span>}
      </div>
    </>
  );
}

/** All of a value, for copying. */
function text({ value, more }: Attribute): string | Promise<string> {
  return more ? getText(more) : typeof value === "string" ? value : JSON.stringify(plain(value));
}

export function Table({ list }: { list: readonly Attribute[] }) {
  return (
    <table class="kv">
      <tbody>
        {list.map((one, i) => (
          <tr key={`${one.key}${i}`}>
            <th scope="row"><bdi><Text value={one.key} /></bdi></th>
            <td dir="auto"><AnyView attribute={one} /></td>
            <td class="kv-copy"><CopyText text={() => text(one)} label={`Copy ${one.key}`} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** `of` names what has them: another's are drawn anew, and filtered by the same words. */
export function Attributes({ of, groups }: { of: string; groups: { name: string; list: readonly Attribute[]; note?: string | undefined }[] }) {
  const [filter, setFilter] = useState("");
  const needle = filter.trim().toLowerCase();
  const fits = (one: Attribute) => !needle || one.key.toLowerCase().includes(needle) || (typeof one.value === "string" && one.value.slice(0, 100_000).toLowerCase().includes(needle));
  const shown = groups.map((group) => ({ ...group, list: group.list.filter(fits).sort(order) })).filter((group) => group.list.length);
  return (
    <div class="panel">
      <input class="input" type="search" placeholder="Filter by key or value" aria-label="Filter the attributes" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
      {shown.map((group) => (
        <section key={`${of} ${group.name}`}>
          <h3>{group.name} <span class="n">{group.list.length}</span></h3>
          {group.note && <p class="mut small">{group.note}</p>}
          <Table list={group.list} />
        </section>
      ))}
      {shown.length === 0 && <p class="mut none">{needle ? "No attribute holds this." : `${plural(0, "attribute")}`}</p>}
    </div>
  );
}

function order(a: Attribute, b: Attribute): number {
  const first = (key: string) => (key.startsWith("gen_ai.") ? 0 : key.startsWith("error.") ? 1 : 2);
  return first(a.key) - first(b.key) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** One span, asked for when it is chosen: what it was, or its attributes. */
import type { Row, SpanDetail, Transcript } from "../api";
import { api, useGet, useRenewed } from "../client";
import { Empty, Failed, Skeleton } from "../ui/bits";
import { Attributes } from "./Attributes";
import { SpanPanel } from "./SpanPanel";
import type { Tab } from "./state";

/** `row` is missing where the span is far behind the rows that are here. */
export function SpanTabs({ id, span, variant, row, rev, tab, startMs, transcript, currency, onSpan }: { id: string; span: string; variant: string | undefined; row: Row | undefined; rev: number; tab: Tab; startMs: number; transcript: Transcript | undefined; currency: string | undefined; onSpan: (span: string) => void }) {
  const url = row?.ghost ? undefined : api(`/traces/${id}/spans/${span}`, { variant });
  // Not held: what another span told would stand under this one's name.
  const detail = useGet<SpanDetail>(url);
  useRenewed(detail.again, url, rev);
  if (row?.ghost) return <Empty title="This span has not come yet" icon="inbox">Its children tell of it; spans are sent when they end.</Empty>;
  if (detail.error && !detail.data) return <Failed error={detail.error} again={detail.again} />;
  if (!detail.data) return <Skeleton />;
  const told = detail.data;
  const which = `${told.row.span} ${told.row.variant ?? 0}`;
  if (tab === "attributes") {
    return (
      <Attributes of={which} groups={[
        { name: "Span", list: told.attributes },
        { name: "Resource", list: told.resource },
        { name: "Scope", list: [{ key: "name", value: told.scope.name }, ...(told.scope.version ? [{ key: "version", value: told.scope.version }] : []), ...(told.scope.schemaUrl ? [{ key: "schema url", value: told.scope.schemaUrl }] : []), ...told.scope.attributes] },
      ]} />
    );
  }
  return <SpanPanel key={which} detail={told} startMs={startMs} transcript={transcript} currency={currency} onSpan={onSpan} />;
}

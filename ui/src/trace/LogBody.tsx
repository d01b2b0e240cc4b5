/** All that came with a log record: its body, its attributes, and who sent it. */
import type { LogDetail } from "../api";
import { api, useGet } from "../client";
import { exact } from "../lib/format";
import { href } from "../state/url";
import { Failed, Pill, Skeleton, Text } from "../ui/bits";
import { AnyView, Table } from "./Attributes";

export function LogBody({ id }: { id: string }) {
  const answer = useGet<LogDetail>(api(`/logs/${id}`));
  const log = answer.data;
  if (answer.error && !log) return <Failed error={answer.error} again={answer.again} />;
  if (!log) return <Skeleton rows={4} />;
  const { row, body, scope } = log;
  const attribute = { key: "body", value: body ?? { empty: true as const }, ...(log.cut !== undefined && { cut: log.cut }), ...(log.more !== undefined && { more: log.more }) };
  const groups = [["Attributes", log.attributes], ["Scope", scope.attributes ?? []], ["Resource", log.resource]] as const;
  return (
    <div class="panel log-body">
      <p class="mut small">{exact(row.atMs)} · <bdi><Text value={row.service} /></bdi>{scope.name && <> · <bdi><Text value={`${scope.name} ${scope.version ?? ""}`} /></bdi></>}</p>
      {row.event && <p><Pill><bdi><Text value={row.event} /></bdi></Pill></p>}
      {body !== undefined && <div dir="auto"><AnyView attribute={attribute} /></div>}
      {row.trace && <p><a class="link" href={href(`/trace/${row.trace}`, { span: row.span })}>{row.genai ? "Open its call" : "Open its trace"}</a></p>}
      {groups.map(([name, list]) => list.length > 0 && (
        <section key={name}>
          <h2>{name} <span class="n">{list.length}</span></h2>
          <Table list={list} />
        </section>
      ))}
    </div>
  );
}

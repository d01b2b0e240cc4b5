/** Why something is empty or wrong, and what to change. */
import type { Finding, Findings } from "../api";
import { api, useGet } from "../client";
import { count, plural } from "../lib/format";
import { href, param } from "../state/url";
import { Busy, Empty, Failed, Pill, Skeleton, Text } from "../ui/bits";
import { CopyText } from "../ui/CopyText";
import { Icon } from "../ui/Icon";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";

const RANGE = "-24h";
const ORDER = { error: 0, warning: 1, info: 2 } as const;

export function Doctor() {
  const answer = useGet<Findings>(api("/findings", { from: param("from") ?? RANGE, to: param("to") }), { hold: true, poll: 30_000 });
  const data = answer.data;
  const items = data ? [...data.items].sort((a, b) => ORDER[a.severity] - ORDER[b.severity] || b.count - a.count) : [];
  return (
    <div class="page">
      <Top crumbs={<><h1>Doctor</h1>{data && <span class="mut">{plural(items.length, "finding")} in {data.looked.more ? "the newest " : ""}{plural(data.looked.traces, "trace")}</span>}</>}><TimeRange fallback={RANGE} /></Top>
      <div class="scroll" tabIndex={0} role="region" aria-label="Findings">
        <Busy of={answer} />
        {answer.error && !data ? <Failed error={answer.error} again={answer.again} /> : !data ? <Skeleton height={70} rows={6} /> : (
          <div class="pages">
            {data.services.length > 0 && (
              <section class="card">
                <h2>What each service tells</h2>
                <div class="x-scroll">
                  <table class="grid">
                    <thead><tr><th>Service</th><th>Convention</th><th>Messages</th><th>Traces</th><th>Logs</th><th>Metrics</th><th class="right">Findings</th></tr></thead>
                    <tbody>
                      {data.services.map((one) => (
                        <tr key={one.service}>
                          <td class="ell"><a href={href("/traces", { service: one.service })}><b><bdi><Text value={one.service} /></bdi></b></a></td>
                          <td><span class="pills">{one.dialects.map((name) => <Pill key={name}>{name}</Pill>)}</span></td>
                          <td class={one.capture === "absent" ? "t-warn" : undefined}>{captured(one)}</td>
                          <Signal on={one.signals.traces} /><Signal on={one.signals.logs} /><Signal on={one.signals.metrics} />
                          <td class="right">{one.findings || <span class="nil">–</span>}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              </section>
            )}
            {items.length === 0 ? <Empty title="Nothing to complain about" icon="doctor">Every span that came in this time follows its convention.</Empty> : items.map((one, i) => <FindingView key={`${one.code}${i}`} finding={one} />)}
          </div>
        )}
      </div>
    </div>
  );
}

function captured({ capture, calls, withContent }: Findings["services"][number]): string {
  if (capture === "here") return withContent >= calls ? "captured" : `in ${count(withContent)} of ${plural(calls, "call")}`;
  return capture === "absent" ? "off" : capture === "by_reference" ? "by reference" : "no calls";
}

function Signal({ on }: { on: boolean }) {
  return <td>{on ? <><Icon name="check" size={13} class="t-ok" /><span class="sr">yes</span></> : <span class="nil">none</span>}</td>;
}

export function FindingView({ finding }: { finding: Finding }) {
  const tone = finding.severity === "error" ? "err" : finding.severity === "warning" ? "warn" : "acc";
  return (
    <article class={`finding card e-${tone}`}>
      <header>
        <Icon name={finding.severity === "info" ? "help" : "error"} size={15} class={`t-${tone}`} />
        <h2><Text value={finding.title} /></h2>
        <span class="sr">{finding.severity}</span>
        <span class="grow" />
        {finding.service && <Pill><bdi>{finding.service}</bdi></Pill>}
        <span class="mut small">{plural(finding.count, "time")}</span>
        {finding.trace && <a class="link" href={href(`/trace/${finding.trace}`, { span: finding.span, tab: "attributes" })}>→ example</a>}
      </header>
      <p class="mut"><Text value={finding.why} /></p>
      <p><Text value={finding.fix} /></p>
      {finding.setting && <div class="code"><CopyText text={finding.setting} /><pre tabIndex={0}>{finding.setting}</pre></div>}
    </article>
  );
}

/** Why something is empty or wrong, and what to change. */
import type { Findings } from "../api";
import { api, useGet } from "../client";
import { count, plural } from "../lib/format";
import { type Together, together } from "../lib/findings";
import { sameRange } from "../state/filters";
import { href } from "../state/url";
import { Busy, Empty, Failed, Pill, Skeleton, Text } from "../ui/bits";
import { CopyText } from "../ui/CopyText";
import { Icon } from "../ui/Icon";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";

const RANGE = "-24h";

export function Doctor() {
  const answer = useGet<Findings>(api("/findings", sameRange(RANGE)), { hold: true, poll: 30_000 });
  const data = answer.data;
  const items = together(data?.items ?? []);
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
                          <td class="right">{items.filter((found) => found.service === one.service).length || <span class="nil">–</span>}</td>
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

/** What stands in backticks is code. */
function Words({ text }: { text: string }) {
  return <>{text.split("`").map((part, i, all) => (i % 2 && i < all.length - 1 ? <code key={i}><Text value={part} /></code> : <Text key={i} value={i % 2 ? `\`${part}` : part} />))}</>;
}

function FindingView({ finding }: { finding: Together }) {
  const tone = finding.severity === "error" ? "err" : finding.severity === "warning" ? "warn" : "acc";
  return (
    <article class={`finding card e-${tone}`}>
      <header>
        <Icon name={finding.severity === "info" ? "help" : "error"} size={15} class={`t-${tone}`} />
        <h2><Words text={finding.title} /></h2>
        <span class="sr">{finding.severity}</span>
        <span class="grow" />
        {finding.service && <Pill><bdi>{finding.service}</bdi></Pill>}
        <span class="mut small">{plural(finding.count, "time")}</span>
        {finding.each.map((one, i) => one.trace && <a key={i} class="link" title={one.scope && `Of the instrumentation ${one.scope}`} href={href(`/trace/${one.trace}`, { span: one.span, tab: "attributes" })}>→ {finding.each.length > 1 && one.scope ? <bdi><Text value={one.scope} /></bdi> : "example"}</a>)}
      </header>
      <p class="mut"><Words text={finding.why} /></p>
      <p><Words text={finding.fix} /></p>
      {finding.setting && <div class="code"><CopyText text={finding.setting} /><pre tabIndex={0}>{finding.setting}</pre></div>}
    </article>
  );
}

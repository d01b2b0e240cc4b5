/** Nothing has come yet: how to send something, to copy. */
import type { Overview } from "../api";
import { api, useGet } from "../client";
import { CopyText } from "./CopyText";
import { Icon } from "./Icon";

export function Connect() {
  const overview = useGet<Overview>(api("/overview"));
  const ways = overview.data?.empty?.connect ?? [{ language: "shell", text: "otel-genai run -- python app.py" }];
  return (
    <div class="connect">
      <Icon name="inbox" size={24} />
      <h2>Nothing has been sent yet</h2>
      <p class="mut">Point any program that speaks OpenTelemetry here. What it did is on this page the moment it arrives.</p>
      {ways.map((way) => (
        <figure key={way.language} class="snippet">
          <figcaption>{way.language}</figcaption>
          <CopyText text={way.text} />
          <pre tabIndex={0}>{way.text}</pre>
        </figure>
      ))}
      <p class="mut">To look around first: <code>otel-genai demo</code> fills a page of its own.</p>
    </div>
  );
}

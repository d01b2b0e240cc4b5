import { useEffect, useState } from "preact/hooks";
import { copy } from "./bits";
import { Icon } from "./Icon";

/** Copies `text`; says that it did. */
export function CopyText({ text, label = "Copy" }: { text: string | (() => string); label?: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1200);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button type="button" class="copy" title={label} aria-label={label} onClick={async () => setDone(await copy(typeof text === "string" ? text : text()))}>
      <Icon name={done ? "check" : "copy"} size={13} />
    </button>
  );
}

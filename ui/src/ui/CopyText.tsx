import { useEffect, useState } from "preact/hooks";
import { copy } from "./bits";
import { Icon } from "./Icon";

/** Copies `text`; says that it did, or that it could not. */
export function CopyText({ text, label = "Copy" }: { text: string | (() => string | Promise<string>); label?: string }) {
  const [done, setDone] = useState<boolean | undefined>();
  useEffect(() => {
    if (done === undefined) return;
    const timer = setTimeout(() => setDone(undefined), 1200);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button type="button" class="copy" title={label} aria-label={label} onClick={async () => setDone(await copy(text))}>
      <Icon name={done === undefined ? "copy" : done ? "check" : "error"} size={13} class={done === false ? "t-err" : undefined} />
    </button>
  );
}

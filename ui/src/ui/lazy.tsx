/** Parts of the page in files of their own. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty } from "./bits";

/** A part that is fetched when it is first shown. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let known: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, redraw] = useState(0);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (!known) void load().then((part) => { known = part; redraw(1); }, () => setFailed(true));
    }, []);
    if (failed) return <Empty icon="error" title="This page could not be loaded">The dashboard was restarted with another version, or is not running. Reload to try again.</Empty>;
    const Known = known;
    return Known ? <Known {...props} /> : <div class="page" aria-busy="true" />;
  };
}

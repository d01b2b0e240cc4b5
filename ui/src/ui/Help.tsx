/** Every key, from the one table. */
import { allKeys, helpOpen, type Key, shown } from "../keys";
import { Button } from "./bits";
import { Dialog } from "./Dialog";

export function Help() {
  const groups = new Map<string, Key[]>();
  for (const key of allKeys()) groups.set(key.group, [...(groups.get(key.group) ?? []), key]);
  const close = () => { helpOpen.value = false; };
  return (
    <Dialog label="Keys" onClose={close} class="help">
      <header><h2>Keys</h2><Button icon="close" kind="ghost" title="Close" onClick={close} /></header>
      <div class="help-groups">
        {[...groups].map(([name, keys]) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>{keys.map((key) => <div key={key.keys}><dt>{shown(key.keys).map((k) => <kbd key={k}>{k}</kbd>)}</dt><dd>{key.does}</dd></div>)}</dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

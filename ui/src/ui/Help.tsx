/** Every key, from the one table. */
import { allKeys, helpOpen, type Key, shown } from "../keys";
import { Button } from "./bits";
import { Dialog } from "./Dialog";

export function Help() {
  const groups = new Map<string, Key[]>();
  for (const key of allKeys()) groups.set(key.group, [...(groups.get(key.group) ?? []), key]);
  // Two keys that do the same stand on one line.
  const lines = (keys: Key[]) => [...new Set(keys.map((key) => key.does))].map((does) => ({ does, all: keys.filter((key) => key.does === does) }));
  const close = () => { helpOpen.value = false; };
  return (
    <Dialog label="Keys" onClose={close} class="help">
      <header><h2>Keys</h2><Button icon="close" kind="ghost" title="Close" onClick={close} /></header>
      <div class="help-groups">
        {[...groups].map(([name, keys]) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>{lines(keys).map((line) => <div key={line.does}><dt>{line.all.flatMap((key) => shown(key.keys)).map((k) => <kbd key={k}>{k}</kbd>)}</dt><dd>{line.does}</dd></div>)}</dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

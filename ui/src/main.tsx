import { render } from "preact";
import { press } from "./keys";
import { start } from "./live";
import { Shell } from "./Shell";
import { listen } from "./state/url";

listen();
addEventListener("keydown", press);
start();
const root = document.getElementById("app") as HTMLElement;
root.replaceChildren();
render(<Shell />, root);

/** Which page a path shows. Large ones that are opened seldom come as files of their own. */
import type { ComponentType } from "preact";
import type { IconName } from "./ui/Icon";

export interface PageInfo {
  path: string;
  name: string;
  key: string;
  icon: IconName;
}

/** The rail, in its order. */
export const RAIL: PageInfo[] = [
  { path: "/", name: "Overview", key: "o", icon: "overview" },
  { path: "/traces", name: "Traces", key: "t", icon: "traces" },
  { path: "/conversations", name: "Conversations", key: "c", icon: "conversations" },
  { path: "/agents", name: "Agents & tools", key: "a", icon: "agents" },
  { path: "/models", name: "Models", key: "m", icon: "models" },
  { path: "/logs", name: "Logs", key: "l", icon: "logs" },
  { path: "/metrics", name: "Metrics", key: "x", icon: "metrics" },
  { path: "/search", name: "Search", key: "f", icon: "search" },
  { path: "/services", name: "Services", key: "s", icon: "services" },
  { path: "/doctor", name: "Doctor", key: "d", icon: "doctor" },
  { path: "/settings", name: "Settings", key: ",", icon: "settings" },
];

export type Page = ComponentType<{ id: string }>;

/** The first part of the path, and what is behind it. */
export function split(path: string): { name: string; id: string } {
  const [name = "", ...rest] = path.split("/").filter(Boolean);
  let id = rest.join("/");
  try {
    id = decodeURIComponent(id);
  } catch {
    // A stray percent sign: taken as it stands.
  }
  return { name, id };
}

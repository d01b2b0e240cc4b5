/** Line icons, 16 × 16, drawn for this page. Decoration: whoever uses one names the control. */
const PATHS = {
  overview: "M2.5 13.5v-5M6.2 13.5v-8M9.8 13.5v-6M13.5 13.5v-11",
  traces: "M2 4h8M5 8h9M3.5 12h6",
  conversations: "M2.5 3.5h11v7.5h-6l-3 2.5v-2.5h-2z",
  agents: "M8 2.2l4.9 2.9v5.8L8 13.8l-4.9-2.9V5.1zM8 6.3v3.4",
  models: "M4 4h8v8H4zM6.5 1.8V4M9.5 1.8V4M6.5 12v2.2M9.5 12v2.2M1.8 6.5H4M1.8 9.5H4M12 6.5h2.2M12 9.5h2.2",
  logs: "M3 2.5h10v11H3zM5.5 5.5h5M5.5 8h5M5.5 10.5h3",
  metrics: "M1.8 9.5l3-4 3 5 3-7.5 3.4 6.5",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.4 10.4l3.4 3.4",
  services: "M2.5 2.8h11v4h-11zM2.5 9.2h11v4h-11zM5 4.8h.01M5 11.2h.01",
  doctor: "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2zM5.4 8.2l1.8 1.8 3.4-3.8",
  settings: "M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M8.5 2.8h3v3.4h-3zM4.5 9.8h3v3.4h-3z",
  chevron: "M6 3.5L10.5 8 6 12.5",
  down: "M3.5 6L8 10.5 12.5 6",
  close: "M3.8 3.8l8.4 8.4M12.2 3.8l-8.4 8.4",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  check: "M3 8.5l3.2 3.2L13 4.8",
  sun: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1.3v1.6M8 13.1v1.6M1.3 8h1.6M13.1 8h1.6M3.3 3.3l1.1 1.1M11.6 11.6l1.1 1.1M3.3 12.7l1.1-1.1M11.6 4.4l1.1-1.1",
  moon: "M13.2 9.6A5.8 5.8 0 0 1 6.4 2.8a5.8 5.8 0 1 0 6.8 6.8z",
  auto: "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2zM8 2.2v11.6M8 5l4.6-1M8 8h5.6M8 11l4.6 1",
  pause: "M5 3v10M11 3v10",
  play: "M4.5 2.8v10.4L13 8z",
  up: "M8 13V3M4 7l4-4 4 4",
  dim: "M8 3v10M4 9l4 4 4-4",
  error: "M8 2.2l6.2 11.3H1.8zM8 6.3v3.4M8 11.6h.01",
  filter: "M2 3.5h12M4.5 8h7M6.8 12.5h2.4",
  export: "M8 10V2.2M5 5l3-3 3 3M2.8 9.5v4h10.4v-4",
  help: "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2zM6.2 6.3c.2-2.2 3.7-2.1 3.6 0 0 1.3-1.8 1.5-1.8 2.9M8 11.3h.01",
  inbox: "M2.5 9.5l2-6h7l2 6v4h-11zM2.5 9.5h3.3l.8 1.7h2.8l.8-1.7h3.3",
  link: "M6.5 9.5l3-3M7.5 4.5l1.6-1.6a2.8 2.8 0 0 1 4 4L11.5 8.5M8.5 11.5l-1.6 1.6a2.8 2.8 0 0 1-4-4L4.5 7.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16, class: extra }: { name: IconName; size?: number; class?: string }) {
  return (
    <svg class={`icon ${extra ?? ""}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

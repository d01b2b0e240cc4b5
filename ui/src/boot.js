// Before the first paint, so that a chosen theme never flashes in as the other one.
try {
  const theme = localStorage.getItem("otel-genai.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* storage is switched off: the system's theme stands */ }

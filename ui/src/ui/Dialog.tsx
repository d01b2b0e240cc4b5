import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** The browser's own modal dialog: focus stays within, Escape closes, focus goes back. */
export function Dialog({ label, onClose, children, class: extra }: { label: string; onClose: () => void; children: ComponentChildren; class?: string }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    // Closed before it goes: the rest of the page can be focused again, and what was focused is.
    return () => dialog?.close();
  }, []);
  // The browser tells of it later, when the dialog may be gone and another one open.
  const closed = () => { if (box.current) onClose(); };
  return (
    <dialog ref={box} class={extra} aria-label={label} onClose={closed} onClick={(event) => { if (event.target === box.current) onClose(); }} onKeyDown={(event) => { if (event.key !== "Escape") event.stopPropagation(); }}>
      {children}
    </dialog>
  );
}

/**
 * Answers that come page by page, of what may grow meanwhile. What is shown is asked for again as a whole: pages of different
 * times do not fit each other.
 */
import { useRef, useState } from "preact/hooks";
import { type Got, KEPT, Problem, type Sized, sized, useGet } from "./client";
import { changed, href, type Params } from "./state/url";

type Next = string | number | undefined;

/** How the pages of an answer belong together. */
export interface Pages<T> {
  size: (all: T) => number;
  joined: (first: T, next: T) => T;
  /** The parameter that takes `next`. */
  by: string;
  /** So many are in a page, */
  one: number;
  /** and so many at most, where they are asked for. */
  most: number;
  /** The state of what is told. Pages of two are not one answer. */
  rev?: (page: T) => number;
  /** Where the page after begins, unless it stands in `next`. */
  next?: (all: T) => Next;
}

function nextOf<T>(pages: Pages<T>, all: T): Next {
  return pages.next ? pages.next(all) : (all as { next?: Next }).next;
}

interface List {
  items: { id: string }[];
  next?: string;
}

/** Pages of a list of what has ids, so many in one. */
export function listOf<L extends List>(one: number): Pages<L> {
  return {
    size: (list) => list.items.length,
    joined: (first, next) => {
      const here = new Set(first.items.map((row) => row.id));
      return { ...next, items: [...first.items, ...next.items.filter((row) => !here.has(row.id))] };
    },
    by: "cursor",
    one,
    most: 500,
  };
}

/** The pages from the first one on until there are `wanted`, in as few as possible. What is wanted may grow meanwhile. */
export async function upTo<T>(pages: Pages<T>, ask: (more: Params) => Promise<Sized<T>>, wanted: () => number): Promise<Sized<T>> {
  const limit = (count: number): Params => (count > pages.one ? { limit: String(Math.min(count, pages.most)) } : {});
  let { data, size } = await ask(limit(wanted()));
  for (let at = nextOf(pages, data); at !== undefined && pages.size(data) < wanted(); at = nextOf(pages, data)) {
    const next = await ask({ ...limit(wanted() - pages.size(data)), [pages.by]: String(at) });
    data = pages.joined(data, next.data);
    size += next.size;
  }
  return { data, size };
}

/** `url` with other parameters, too. */
function also(url: string, more: Params): string {
  const [path = "", query] = url.split("?");
  return href(path, changed(new URLSearchParams(query), more));
}

export interface Growing<T> extends Got<T> {
  /** Asks for what follows, and shows it too. */
  more: (limit?: number) => Promise<void>;
  /** Why it could not be had. */
  stuck: Problem | undefined;
  /** For who nears the end of what is shown: `more`, where there is more. */
  near: (() => void) | undefined;
  /** Takes how far what is shown is looked at, of who does not look at all of it, */
  onSight: (size: number) => void;
  /** and tells it. */
  sight: () => number;
  /** Which asking `data` answers: one that began after the others. */
  asking: number;
  /** Which asking began last. */
  lastAsking: () => number;
}

/** Of what is not all looked at, so much at most is asked for again. */
const MOST_SIGHT = 5_000;

/** The answer to `url`, with as many of its pages as were asked for; or as many as are in sight, where that is told. */
export function useGrowing<T>(url: string, pages: Pages<T>, options: { hold?: boolean; poll?: number } = {}): Growing<T> {
  const [later, setLater] = useState<{ of: T; all: T } | undefined>();
  const [stuck, setStuck] = useState<{ url: string; problem: Problem } | undefined>();
  const seen = useRef<number | undefined>(undefined);
  const lastAsking = useRef(0);
  const reading = useRef(0);
  const answered = useRef<{ data?: T; asking: number; size: number }>({ asking: 0, size: 0 });
  // More than is shown, wanted of the next answer, or of the one that is on its way.
  const wanted = useRef(0);
  const busy = useRef(false);
  const now = useRef<{ url: string; of: T | undefined; all: T | undefined }>({ url, of: undefined, all: undefined });
  const shown = () => {
    const { all } = now.current;
    const size = seen.current === undefined ? (all ? pages.size(all) : 0) : Math.min(MOST_SIGHT, seen.current);
    // Who sees all of it sees what is new, too.
    return all !== undefined && nextOf(pages, all) === undefined ? Math.ceil((size + 1) / pages.one) * pages.one : size;
  };
  const latest = useRef(shown);
  latest.current = shown;
  const got = useGet<T>(url, {
    ...(options.hold && { hold: true }),
    ...(options.poll !== undefined && { poll: options.poll }),
    read: async (at, signal) => {
      const asking = ++lastAsking.current;
      let least = wanted.current;
      wanted.current = 0;
      reading.current++;
      try {
        const answer = await upTo(pages, (more) => sized<T>(also(at, more), signal), () => {
          least = Math.max(least, wanted.current);
          return Math.max(least, latest.current());
        });
        answered.current = { ...answer, asking };
        return answer;
      } finally {
        reading.current--;
      }
    },
  });
  const all = got.data && later?.of === got.data ? later.all : got.data;
  if (now.current.url !== url) wanted.current = 0;
  now.current = { url, of: got.held ? undefined : got.data, all: got.held ? undefined : all };
  const more = async (limit?: number) => {
    const before = now.current;
    if (busy.current || before.of === undefined || before.all === undefined) return;
    const next = nextOf(pages, before.all);
    if (next === undefined) return;
    const size = pages.size(before.all);
    if (reading.current > 0) {
      wanted.current = Math.max(wanted.current, size + (limit ?? pages.one));
      return;
    }
    busy.current = true;
    try {
      const { data: page, size: characters } = await sized<T>(also(url, { ...(limit !== undefined && { limit: String(limit) }), [pages.by]: String(next) }));
      if (now.current.url !== before.url) return;
      setStuck(undefined);
      if (now.current.of === before.of) {
        now.current.all = pages.joined(before.all, page);
        answered.current.size += characters;
        KEPT.keep(url, now.current.all, answered.current.size);
        setLater({ of: before.of, all: now.current.all });
      }
      // It changed meanwhile: the page may not fit what is shown.
      if (now.current.of !== before.of || pages.rev?.(page) !== pages.rev?.(before.all)) {
        wanted.current = size + pages.size(page);
        got.again();
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setStuck({ url, problem: error });
    } finally {
      busy.current = false;
    }
  };
  return {
    ...got,
    data: all,
    more,
    stuck: stuck?.url === url ? stuck.problem : undefined,
    near: all === undefined || nextOf(pages, all) === undefined ? undefined : () => void more(),
    onSight: (size) => { seen.current = size; },
    sight: () => seen.current ?? 0,
    asking: answered.current.data === got.data ? answered.current.asking : 0,
    lastAsking: () => lastAsking.current,
  };
}

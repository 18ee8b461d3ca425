/**
 * Cache-Control as a table of directives (RFC 9111, 5.2): names in lower case, only those that are known here. Commas in quoted values are values. Of a directive that
 * stands twice the stricter one counts: less time, no argument.
 */
export interface CacheControl {
  /** Without an argument, or with one that narrows it: then it counts as a whole. */
  has(directive: Flag | Duration): boolean;
  /** Seconds; undefined where it is absent, 0 where it is no number. */
  seconds(directive: Duration): number | undefined;
  /** `max-stale` without a number: any. */
  readonly anyStale: boolean;
}

type Flag = "no-store" | "no-cache" | "private" | "public" | "must-revalidate" | "proxy-revalidate" | "must-understand" | "only-if-cached" | "no-transform";
type Duration = "max-age" | "s-maxage" | "min-fresh" | "max-stale" | "stale-while-revalidate" | "stale-if-error";

const durations: ReadonlySet<string> = new Set<Duration>(["max-age", "s-maxage", "min-fresh", "max-stale", "stale-while-revalidate", "stale-if-error"]);
/** RFC 9111, 1.2.2: more seconds than this count as these. */
const longest = 2 ** 31;

export function parseCacheControl(values: readonly string[]): CacheControl {
  const found = new Map<string, number | undefined>();
  let anyStale = false;
  for (const element of values.flatMap(elements)) {
    const equals = element.indexOf("=");
    const name = (equals < 0 ? element : element.slice(0, equals)).trim().toLowerCase();
    if (!durations.has(name)) {
      found.set(name, undefined);
      continue;
    }
    const argument = equals < 0 ? "" : element.slice(equals + 1).trim().replace(/^"(.*)"$/, "$1");
    if (name === "max-stale" && equals < 0) {
      anyStale = true;
      continue;
    }
    const seconds = /^\d+$/.test(argument) ? Math.min(Number(argument), longest) : 0;
    // More freshness is asked for by `min-fresh`, less by all others.
    const before = found.get(name);
    found.set(name, before === undefined ? seconds : name === "min-fresh" ? Math.max(before, seconds) : Math.min(before, seconds));
  }
  return { has: (directive) => found.has(directive), seconds: (directive) => found.get(directive), anyStale };
}

/** Splits at commas that stand outside of quoted strings. */
function elements(value: string): string[] {
  const found: string[] = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i <= value.length; i++) {
    const code = i === value.length ? 0x2c : value.charCodeAt(i);
    if (quoted && i < value.length) {
      if (code === 0x5c) i++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x2c) {
      const element = value.slice(from, i).trim();
      if (element !== "") found.push(element);
      from = i + 1;
    }
  }
  return found;
}

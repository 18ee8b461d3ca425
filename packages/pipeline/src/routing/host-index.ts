import { hostPatternKey } from "./host-pattern.ts";
import type { HostPattern } from "./host-pattern.ts";

/** The patterns of one name: with each port, and without. Numbers are pattern numbers; -1 is none. */
interface PortSlots {
  withoutPort: number;
  readonly byPort: Map<number, number>;
}

const dot = 0x2e;
const colon = 0x3a;

/** All host patterns of a table, numbered; finds those that a request meets, the most specific first. */
export class HostIndex {
  readonly #numbers = new Map<string, number>();
  readonly #exact = new Map<string, PortSlots>();
  readonly #wildcards = new Map<string, PortSlots>();
  readonly #any: PortSlots = { withoutPort: -1, byPort: new Map() };
  /** Most dots in a wildcard's suffix: how far a host name is looked at. */
  #maximumDots = 0;

  get size(): number {
    return this.#numbers.size;
  }

  /** The number of `pattern`, the same for all its spellings. */
  add(pattern: HostPattern): number {
    const key = hostPatternKey(pattern);
    const known = this.#numbers.get(key);
    const number = known ?? this.#numbers.size;
    if (known === undefined) this.#numbers.set(key, number);
    for (const name of new Set([pattern.name, pattern.wireName])) {
      const slots = this.#slots(pattern, name);
      if (pattern.port === undefined) slots.withoutPort = number;
      else slots.byPort.set(pattern.port, number);
    }
    return number;
  }

  #slots(pattern: HostPattern, name: string): PortSlots {
    if (pattern.kind === "any") return this.#any;
    const map = pattern.kind === "exact" ? this.#exact : this.#wildcards;
    if (pattern.kind === "wildcard") this.#maximumDots = Math.max(this.#maximumDots, name.split(".").length - 1);
    let slots = map.get(name);
    if (slots === undefined) {
      slots = { withoutPort: -1, byPort: new Map() };
      map.set(name, slots);
    }
    return slots;
  }

  /**
   * Fills `found` with the numbers of the patterns that the request meets, in the order in which they are tried:
   * exact with port, exact, wildcard with port (longest suffix first), wildcard, any host with port, any host.
   */
  resolve(authority: string, scheme: "http" | "https", found: number[]): void {
    found.length = 0;
    let end = authority.length;
    let port = scheme === "https" ? 443 : 80;
    const separator = portSeparator(authority);
    if (separator >= 0) {
      end = separator;
      if (separator + 1 < authority.length) port = portNumber(authority, separator + 1);
    }
    const host = (end === authority.length ? authority : authority.slice(0, end)).toLowerCase();
    const exact = this.#exact.get(host);
    if (exact !== undefined) addSlots(exact, port, found);
    if (this.#maximumDots > 0) this.#addWildcards(host, port, found);
    addSlots(this.#any, port, found);
  }

  #addWildcards(host: string, port: number, found: number[]): void {
    // No wildcard stands for an empty label.
    if (host.charCodeAt(0) === dot || host.includes("..")) return;
    let from = host.length;
    for (let dots = 0; dots < this.#maximumDots; dots++) {
      const next = from === 0 ? -1 : host.lastIndexOf(".", from - 1);
      if (next < 0) break;
      from = next;
    }
    let late: number[] | undefined;
    for (let at = from; at >= 0 && at < host.length; at = host.indexOf(".", at + 1)) {
      const slots = this.#wildcards.get(host.slice(at));
      if (slots === undefined) continue;
      const withPort = slots.byPort.get(port);
      if (withPort !== undefined) found.push(withPort);
      if (slots.withoutPort >= 0) (late ??= []).push(slots.withoutPort);
    }
    if (late !== undefined) found.push(...late);
  }
}

function addSlots(slots: PortSlots, port: number, found: number[]): void {
  if (slots.byPort.size > 0) {
    const withPort = slots.byPort.get(port);
    if (withPort !== undefined) found.push(withPort);
  }
  if (slots.withoutPort >= 0) found.push(slots.withoutPort);
}

/** Where the colon before the port is, or -1. A colon inside the brackets of an IPv6 address is none. */
function portSeparator(authority: string): number {
  for (let i = authority.length - 1; i >= 0; i--) {
    const code = authority.charCodeAt(i);
    if (code === colon) return i;
    if (code < 0x30 || code > 0x39) return -1;
  }
  return -1;
}

/** The number from `index` to the end; -1, which no pattern has, when it is no port. */
function portNumber(authority: string, index: number): number {
  let port = 0;
  for (let i = index; i < authority.length; i++) {
    port = port * 10 + authority.charCodeAt(i) - 0x30;
    if (port > 65535) return -1;
  }
  return port;
}

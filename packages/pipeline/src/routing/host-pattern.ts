/** Host patterns of routes: `host`, `host:port`, `*.suffix`, `*.suffix:port`, `*`, `*:port`; `:*` is any port. */
import { domainToASCII } from "node:url";

export interface HostPattern {
  readonly kind: "exact" | "wildcard" | "any";
  /** Lower case, as written: the host, or what follows the `*` (with its dot); empty for any host. */
  readonly name: string;
  /** The same as it is on the wire: labels beyond ASCII in punycode. */
  readonly wireName: string;
  readonly port: number | undefined;
}

/** A host pattern that nothing could match, or that says something else than it seems to. */
export class HostPatternError extends Error {
  override readonly name = "HostPatternError";
  readonly hint: string | undefined;

  constructor(pattern: string, why: string, hint?: string) {
    super(`host ${JSON.stringify(pattern.slice(0, 200))} ${why}`);
    this.hint = hint;
  }
}

const forbidden = /[\s/\\?#@[\]%<>^|"`{}]|\p{Cc}/u;

/** Parses `text`. Throws a `HostPatternError`. */
export function parseHostPattern(text: string): HostPattern {
  if (text.startsWith("[")) {
    throw new HostPatternError(text, "is an IPv6 address, which a route cannot name", "leave the host out, or use *:port");
  }
  const colon = text.indexOf(":");
  if (colon >= 0 && text.includes(":", colon + 1)) {
    throw new HostPatternError(text, "has more than one colon", "host[:port], without scheme");
  }
  const host = (colon < 0 ? text : text.slice(0, colon)).toLowerCase();
  const port = colon < 0 ? undefined : parsePort(text, text.slice(colon + 1));
  if (host === "*") return { kind: "any", name: "", wireName: "", port };
  const wildcard = host.startsWith("*.");
  const name = wildcard ? host.slice(1) : host;
  const labels = wildcard ? name.slice(1) : name;
  if (labels === "") throw new HostPatternError(text, "has no name");
  if (labels.includes("*")) throw new HostPatternError(text, "has a * elsewhere than as the first label", "*.example.com, or *");
  if (forbidden.test(labels)) throw new HostPatternError(text, "has a character that no host has", "host[:port], without scheme and path");
  if (labels.startsWith(".") || labels.includes("..")) throw new HostPatternError(text, "has an empty label");
  return { kind: wildcard ? "wildcard" : "exact", name, wireName: wireName(text, name, labels), port };
}

function parsePort(text: string, port: string): number | undefined {
  if (port === "*") return undefined;
  const number = Number(port);
  if (/^\d{1,5}$/.test(port) && number >= 1 && number <= 65535) return number;
  throw new HostPatternError(text, "has a port that is none", "a number from 1 to 65535, or *");
}

function wireName(text: string, name: string, labels: string): string {
  // Names within ASCII stay as they are: also those that DNS would refuse, such as with an underscore.
  if (!/[^\x00-\x7f]/.test(labels)) return name;
  const ascii = domainToASCII(labels);
  if (ascii === "") throw new HostPatternError(text, "is not an internationalised host name");
  return name.startsWith(".") ? `.${ascii}` : ascii;
}

/** One text for all spellings of a pattern. */
export function hostPatternKey(pattern: HostPattern): string {
  return `${pattern.kind === "exact" ? "" : "*"}${pattern.wireName}:${pattern.port ?? "*"}`;
}

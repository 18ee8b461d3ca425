/** Who the client is behind proxies that are believed. */
import { isIP } from "node:net";
import { listElements, type Exchange, type HeaderList } from "@proxy/http";
import { shownAddress } from "./transforms/shown-peer.ts";
import type { Trust } from "./trusted-peers.ts";

/** More hops than that nobody has. */
const mostHops = 32;

/**
 * Finds the client of requests that trusted peers forward: from the end of `X-Forwarded-For`, or of `Forwarded` (RFC 7239), the first address
 * that is not trusted itself, or the last one that can be read. Undefined for other peers, and where the two fields disagree: then
 * the peer is the client.
 */
export function clientBehind(trust: Trust): (exchange: Exchange) => string | undefined {
  return ({ connection, request: { headers } }) => {
    if (!trust(connection.remoteAddress)) return undefined;
    const chains = [chain(headers, "x-forwarded-for", nodeOf), chain(headers, "forwarded", forOf)].filter((each) => each.length > 0);
    const [first, second] = chains.map((each) => clientOf(each, trust));
    return chains.length === 1 || first === second ? first : undefined;
  };
}

/** The addresses that a field names, the nearest first; ends where one cannot be read. Empty without the field. */
function chain(headers: HeaderList, key: string, addressOf: (element: string) => string | undefined): readonly (string | undefined)[] {
  if (!headers.has(key)) return [];
  const elements = elementsOf(headers, key);
  return elements.length === 0 ? [undefined] : elements.slice(-mostHops).reverse().map(addressOf);
}

function clientOf(addresses: readonly (string | undefined)[], trust: Trust): string | undefined {
  let client: string | undefined;
  for (const address of addresses) {
    if (address === undefined) break;
    client = address;
    if (!trust(address)) break;
  }
  return client;
}

/** The elements of a field that is a list, in order. In `Forwarded` parts in quotes may hold commas; the others know no quotes. */
export function elementsOf(headers: HeaderList, key: string): string[] {
  const lines = headers.getAll(key);
  // Line by line: a quote that a client left open is not to swallow what a proxy said after it.
  return lines.flatMap((line) => (key === "forwarded" ? unquotedParts(line, comma) : listElements(line)));
}

const quote = 0x22;
const comma = 0x2c;
const semicolon = 0x3b;
const backslash = 0x5c;

/** What stands between separators that are not in quotes, without blanks around it; nothing empty. */
function unquotedParts(text: string, separator: number): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) quoted = !quoted;
    else if (quoted && code === backslash) i++;
    else if (!quoted && code === separator) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  // Nobody knows who left a quote open, and what stands behind it: it is a part that says nothing.
  parts.push(quoted ? '"' : text.slice(from));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** `for` of an element of `Forwarded`. */
function forOf(element: string): string | undefined {
  const node = parameterOf(element, "for");
  return node === undefined ? undefined : nodeOf(node);
}

/** What an element of `Forwarded` says of `name`, in lower case; undefined where it says nothing that can be read. */
export function parameterOf(element: string, name: string): string | undefined {
  for (const pair of unquotedParts(element, semicolon)) {
    const match = /^\s*([a-z]+)\s*=\s*(?:"([^"\\]*)"|([^\s"]+))\s*$/i.exec(pair);
    if (match?.[1]?.toLowerCase() === name) return match[2] ?? match[3];
  }
  return undefined;
}

/** The address in `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]` or `[2001:db8::7]:4711`; undefined for anything else. */
function nodeOf(text: string): string | undefined {
  if (isIP(text) !== 0) return shownAddress(text);
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? "";
  return isIP(address) === (match?.[1] === undefined ? 4 : 6) ? shownAddress(address) : undefined;
}

/**
 * Destinations by DNS: the host of each address becomes its IP addresses, one destination each, named
 * `<id>[<address>]`. The Host of requests stays that of the configuration. A host that begins with `_`
 * (`_http._tcp.example.com`) is asked for SRV records (RFC 2782) instead: targets and ports, which are hosts in their own
 * right, so that requests name them.
 *
 * What DNS last said stays in use while it does not answer; only a name that never resolved fails the load.
 */
import { isIP } from "node:net";
import type { DestinationConfig } from "@proxy/config";
import { systemClock, type Clock } from "../clock.ts";
import { systemRandom, type RandomSource } from "../random-source.ts";
import type { DestinationResolver, Destinations } from "./resolver.ts";

export interface DnsAddress {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  /** Seconds; undefined when not known. */
  readonly ttl?: number | undefined;
}

/** One SRV record (RFC 2782): a host in its own right and a port. `ttl` in seconds, undefined where it is not known. */
export interface DnsService {
  readonly name: string;
  readonly port: number;
  readonly ttl?: number | undefined;
}

/** The questions that are put to DNS. Each rejects when there is no answer. */
export interface DnsLookup {
  /** A and AAAA records, or those of the family that is wanted. */
  addresses(host: string): Promise<readonly DnsAddress[]>;
  /** SRV records. Left out: names that begin with `_` are hosts like others. */
  services?(name: string): Promise<readonly DnsService[]>;
}

export interface DnsResolverOptions {
  readonly lookup: DnsLookup;
  /** Milliseconds after which names are asked for again. Default 300 000; 0 or less: never. */
  readonly refreshPeriod?: number | undefined;
  /** A record that lives shorter is asked for again then, but no sooner than this. Milliseconds, default 5 000. */
  readonly minimumPeriod?: number | undefined;
  /** Share of the period by which a refresh comes earlier, so that gateways do not ask in step. Default 0.1. */
  readonly jitter?: number | undefined;
  readonly random?: RandomSource | undefined;
  readonly clock?: Clock | undefined;
  /** Told of a name that could not be looked up while an older answer stays in use. */
  readonly onStale?: ((host: string, error: Error) => void) | undefined;
}

interface Answer {
  readonly entries: readonly { readonly host: string; readonly port: string | undefined }[];
  /** In milliseconds of the clock's `now`; undefined when it is not limited. */
  readonly expires: number | undefined;
  /** In milliseconds of the clock's `now`. */
  readonly askedAt: number;
}

/** Answers are kept for names that were asked for within so many refreshes. */
const keptPeriods = 10;

/** A resolver that asks `lookup`. It throws for a name that never resolved, and stays with the last answer for any other. */
export function createDnsResolver(options: DnsResolverOptions): DestinationResolver {
  const { lookup, refreshPeriod = 300_000, minimumPeriod = 5_000, jitter = 0.1 } = options;
  const { clock = systemClock, random = systemRandom } = options;
  const known = new Map<string, Answer>();

  const ask = async (host: string): Promise<Answer> => {
    const { services } = lookup;
    try {
      const told = host.startsWith("_") && services !== undefined ? await services(host) : await lookup.addresses(host);
      const [first] = told;
      if (first === undefined) throw new Error(`DNS knows no address of '${host}'`);
      const records = [...told].filter((each) => faultOf(each) === undefined);
      if (records.length === 0) throw new Error(`what DNS says of '${host}' cannot be used: ${faultOf(first)}`);
      const now = clock.now();
      const ttls = records.flatMap(({ ttl }) => (ttl === undefined ? [] : [ttl * 1000]));
      const answer: Answer = {
        entries: sorted(records.map((each) => ("address" in each ? entryOf(each) : { host: each.name, port: String(each.port) }))),
        expires: ttls.length === 0 ? undefined : now + Math.min(...ttls),
        askedAt: now,
      };
      known.set(host, answer);
      return answer;
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const last = known.get(host);
      if (last === undefined) throw error;
      options.onStale?.(host, error);
      return { ...last, expires: undefined };
    }
  };

  const refreshAfter = (answers: readonly Answer[]): number | undefined => {
    if (!(refreshPeriod > 0)) return undefined;
    const now = clock.now();
    const expiries = answers.flatMap(({ expires }) => (expires === undefined ? [] : [Math.max(minimumPeriod, expires - now)]));
    return Math.min(refreshPeriod, ...expiries) * (1 - (jitter * random(1001)) / 1000);
  };

  const forgetOld = (): void => {
    const oldest = clock.now() - keptPeriods * Math.max(refreshPeriod, 60_000);
    for (const [host, { askedAt }] of known) if (askedAt < oldest) known.delete(host);
  };

  return {
    name: "dns",
    async resolve(_clusterId, destinations) {
      const resolved: Record<string, DestinationConfig> = Object.create(null) as Record<string, DestinationConfig>;
      const answers: Answer[] = [];
      const configured = Object.entries(destinations);
      const places = configured.map(([, { address }]) => placeOf(address));
      const found = await Promise.all(places.map((place) => (place === undefined ? undefined : ask(place.host))));
      configured.forEach(([id, config], index) => {
        const answer = found[index];
        const place = places[index];
        if (answer === undefined || place === undefined) {
          resolved[id] = config;
          return;
        }
        answers.push(answer);
        for (const entry of answer.entries) {
          resolved[`${id}[${nameOf(entry)}]`] = {
            ...config,
            address: moved(config.address, place.host, entry),
            ...(config.health ? { health: moved(config.health, place.host, entry) } : {}),
            ...(config.host || entry.port === undefined ? { host: config.host || place.authority } : {}),
          };
        }
      });
      forgetOld();
      return { destinations: { ...resolved } satisfies Destinations, refreshAfter: answers.length === 0 ? undefined : refreshAfter(answers) };
    },
  };
}

interface Place {
  readonly host: string;
  readonly authority: string;
}

const address = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)(.*)$/i;

/** The host to look up; undefined for what is an IP address already, or no address at all (validation says so). */
function placeOf(text: string): Place | undefined {
  const authority = address.exec(text.trim())?.[2];
  if (authority === undefined) return undefined;
  const host = hostOf(authority);
  if (host === "" || authority.startsWith("[") || /^[0-9.]+$/.test(host)) return undefined;
  return { host, authority };
}

function hostOf(authority: string): string {
  const colon = authority.lastIndexOf(":");
  return colon < 0 ? authority : authority.slice(0, colon);
}

/** `text` with the host replaced where it is `host`; a health address elsewhere stays. */
function moved(text: string, host: string, entry: Answer["entries"][number]): string {
  const parts = address.exec(text.trim());
  if (parts === null) return text;
  const [, scheme = "", authority = "", rest = ""] = parts;
  if (hostOf(authority).toLowerCase() !== host.toLowerCase()) return text;
  const port = entry.port ?? portOf(authority);
  return `${scheme}${bracketed(entry.host)}${port === undefined ? "" : `:${port}`}${rest}`;
}

function portOf(authority: string): string | undefined {
  const colon = authority.lastIndexOf(":");
  return colon < 0 ? undefined : authority.slice(colon + 1);
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function nameOf({ host, port }: Answer["entries"][number]): string {
  return port === undefined ? host : `${bracketed(host)}:${port}`;
}

/** Records become parts of URLs: whoever answers for a name may say where it is, and nothing else. */
function faultOf(record: DnsAddress | DnsService): string | undefined {
  if ("address" in record) return isIP(record.address) === 0 || record.address.includes("%") ? `${JSON.stringify(record.address)} is no address` : undefined;
  // RFC 2782: a target of "." says that there is no such service.
  if (record.name === "" || record.name === ".") return "there is no such service";
  if (record.name.length > 253 || !hostName.test(record.name)) return `${JSON.stringify(record.name)} is no name of a host`;
  const { port } = record;
  return Number.isInteger(port) && port > 0 && port < 65_536 ? undefined : `${port} is no port`;
}

/** Labels as they are in use, underscores included. */
const hostName = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/i;

function entryOf({ address: host }: DnsAddress): Answer["entries"][number] {
  return { host, port: undefined };
}

/** By name: DNS answers in turning order, which is no change. */
function sorted(entries: Answer["entries"]): Answer["entries"] {
  const unique = new Map(entries.map((entry) => [nameOf(entry), entry]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

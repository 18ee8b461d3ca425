/** The loads: what a client sends, and what the destination answers. */
import type { Front } from "./front.ts";
import { token, type TokenAlgorithm } from "./tokens.ts";

export interface Shape {
  readonly name: string;
  readonly title: string;
  /** Path at the destination; see `origin.ts`. */
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bodyBytes?: number;
  readonly connections: number;
  /** Keep-alive connections that have sent one request and then stay silent. */
  readonly idleConnections?: number;
  /** A table of that many routes, the last of which is asked for. */
  readonly routes?: number;
  /** Each request moves a megabyte: fewer of them warm a proxy up. */
  readonly large?: boolean;
  /** The proxy keeps the answer, and gives it again. */
  readonly cached?: boolean;
  /** Requests have a token, which some of the proxies check. */
  readonly token?: TokenAlgorithm;
  /** How clients connect. Default: HTTP/1.1 in cleartext. */
  readonly front?: Front;
  /** What makes the load. Default wrk. Messages and events count as requests. */
  readonly load?: "h2load" | "websocket" | "events" | "grpc";
  /** With h2load and grpc: requests under way on each connection. */
  readonly streams?: number;
  /** A server of `destinations/` in the place of nginx. */
  readonly destination?: "websocket" | "events" | "grpc" | "receiver";
}

const browserHeaders: Readonly<Record<string, string>> = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
  "Cache-Control": "max-age=0",
  Referer: "https://www.example.com/catalogue/things?page=3",
  "Sec-CH-UA": '"Chromium";v="156", "Not.A/Brand";v="24"',
  "Sec-CH-UA-Mobile": "?0",
  "Sec-CH-UA-Platform": '"Linux"',
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Site": "same-origin",
  "Sec-Fetch-User": "?1",
  "Upgrade-Insecure-Requests": "1",
  // 15 fields and Host; the cookie has 1 KB, as many small pairs as sites really set.
  Cookie: Array.from({ length: 16 }, (_, i) => `preference_${i}=${"abcdefghijklmnopqrstuvwxyz0123456789".repeat(2).slice(0, 48)}`).join("; "),
};

export const shapes: readonly Shape[] = [
  { name: "small-get", title: "small GET, 64 keep-alive connections", path: "/small", connections: 64 },
  {
    name: "json-post",
    title: "1 KB JSON POST",
    // One packet holds head and body: the destination has both when it answers, without a second hop of its own.
    path: "/small",
    method: "POST",
    headers: { "Content-Type": "application/json" },
    bodyBytes: 1024,
    connections: 64,
  },
  { name: "download", title: "1 MB response", path: "/megabyte", connections: 16, large: true },
  {
    name: "upload",
    title: "1 MB upload",
    path: "/read-body",
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    bodyBytes: 1_048_576,
    connections: 16,
    large: true,
  },
  {
    name: "idle",
    title: "1,000 idle and 64 busy connections",
    path: "/small",
    connections: 64,
    idleConnections: 1000,
  },
  {
    name: "new-connection",
    title: "a new connection per request",
    path: "/small",
    headers: { Connection: "close" },
    connections: 16,
  },
  {
    name: "browser",
    title: "browser request: 15 headers, 1 KB cookie",
    path: "/small",
    headers: browserHeaders,
    connections: 64,
  },
  { name: "cache-hit", title: "small GET that the proxy has kept, 64 keep-alive connections", path: "/small", connections: 64, cached: true },
  { name: "cache-hit-large", title: "64 KB that the proxy has kept, 64 keep-alive connections", path: "/sixty-four", connections: 64, cached: true },
  { name: "jwt-rs256", title: "small GET with a token signed by RS256, passed on and checked, 64 keep-alive connections", path: "/small", headers: { Authorization: `Bearer ${token("RS256")}` }, connections: 64, token: "RS256" },
  { name: "jwt-es256", title: "small GET with a token signed by ES256, passed on and checked, 64 keep-alive connections", path: "/small", headers: { Authorization: `Bearer ${token("ES256")}` }, connections: 64, token: "ES256" },
  { name: "routes", title: "1,000 routes, the last one asked for", path: "/route-999/small", connections: 64, routes: 1000 },
  { name: "tls", title: "small GET over TLS, 64 keep-alive connections", path: "/small", connections: 64, front: "tls" },
  {
    name: "http2",
    title: "small GET over HTTP/2 and TLS, 4 connections with 16 streams each",
    path: "/small",
    connections: 4,
    streams: 16,
    front: "h2",
    load: "h2load",
  },
  {
    name: "websocket",
    title: "WebSocket, 64 connections, echoes of 64 bytes (per message and echo)",
    path: "/socket",
    connections: 64,
    load: "websocket",
    destination: "websocket",
  },
  {
    name: "events",
    title: "server-sent events, 100 streams, each with 100 events per second (per event)",
    path: "/events",
    connections: 100,
    load: "events",
    destination: "events",
  },
  {
    name: "grpc",
    title: "gRPC unary over HTTP/2 in cleartext on both sides, 4 connections with 16 calls each",
    path: "/bench.Echo/Unary",
    method: "POST",
    headers: { "content-type": "application/grpc", te: "trailers" },
    bodyBytes: 105,
    connections: 4,
    streams: 16,
    front: "h2c",
    load: "grpc",
    destination: "grpc",
  },
  {
    name: "delegated-download",
    title: "1 MB response, forwarded and delegated, 16 keep-alive connections",
    path: "/megabyte",
    connections: 16,
    large: true,
    destination: "receiver",
  },
  {
    name: "delegated-small-get",
    title: "small GET, forwarded and delegated, 64 keep-alive connections",
    path: "/small",
    connections: 64,
    destination: "receiver",
  },
];

/** The proxies that are compared: how each is started for a shape. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { receiverSocket } from "./destination.ts";
import { certificate, certificateKey, type Front, isDelegated, isHttp2, isPlain, isTls } from "./front.ts";
import { nginxPath, nginxPreamble } from "./origin.ts";
import { type Running, start } from "./processes.ts";
import type { Shape } from "./shapes.ts";
import { audience, issuer, jwks } from "./tokens.ts";

export interface StartContext {
  readonly folder: string;
  readonly core: number;
  readonly port: number;
  readonly originPort: number;
  readonly shape: Shape;
}

export interface Proxy {
  readonly name: string;
  readonly version: () => string;
  /** False where the proxy has no notion of what the shape asks (a route table). */
  readonly supports?: (shape: Shape) => boolean;
  /** It may use no CPU time while it is under load. */
  readonly mayRest?: boolean;
  readonly start: (context: StartContext) => Running;
}

const here = fileURLToPath(new URL(".", import.meta.url));
const ownTree = fileURLToPath(new URL("../..", import.meta.url));

function firstLine(command: string, ...args: string[]): string {
  const result = spawnSync(command, args, { encoding: "latin1" });
  return `${result.stdout}${result.stderr}`.trim().split("\n")[0] ?? "";
}

function packageVersion(name: string): string {
  const manifest = JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8")) as {
    version: string;
  };
  return manifest.version;
}

/** What every Node proxy here runs with: Node's own code on large pages, as the gateway's README recommends on Linux. */
const nodeFlags = ["--use-largepages=silent"];

function peer(name: string, file: string, supports: (shape: Shape) => boolean = isPlain): Proxy {
  return {
    name,
    version: () => packageVersion(name === "node-http2-undici" ? "undici" : name),
    supports,
    start: ({ core, port, originPort, shape }) =>
      start(core, [
        process.execPath,
        ...nodeFlags,
        join(here, "servers", file),
        String(port),
        `http://127.0.0.1:${originPort}`,
        String(shape.routes ?? 0),
        certificate,
        certificateKey,
      ]),
  };
}

const withoutRoutes = (shape: Shape): boolean => isPlain(shape) && shape.routes === undefined;

const protocols: Readonly<Record<Front, string>> = { tls: "Http1AndHttp2", h2: "Http1AndHttp2", h2c: "Http2" };

export interface GatewayBuild {
  /** The root of a built work tree; default this one. */
  readonly tree?: string;
  /** Of its Node. */
  readonly flags?: readonly string[];
  /** Hands connections over instead of forwarding, in this mode: only shapes whose destination takes them. */
  readonly delegates?: "perRequest" | "sticky";
  /** Checks the tokens of shapes that have any: each of them, or those that it does not know. */
  readonly checksTokens?: "each" | "unknown";
  /** Has policies of every kind on a route that is not asked for. */
  readonly policiesElsewhere?: boolean;
}

/** Of every kind, for one route; without fields of the gateway's own, which clients may not send on any route. */
const policies = {
  Access: { some: { DenyAddresses: ["203.0.113.0/24"] } },
  Authentication: { jwt: { Bearer: { Issuer: issuer, Audiences: [audience], Secret: "a secret of more than 32 characters" } } },
  Authorization: { some: { Scopes: ["read"] } },
  Compression: { some: {} },
  Cors: { some: { Origins: ["https://app.example"] } },
  OutputCache: { some: { Duration: "1h" } },
  RateLimiter: { some: { PermitLimit: 1000 } },
  Timeout: { some: { Timeout: "60s" } },
};
const guardedRoute = {
  ClusterId: "origin", Match: { Path: "/guarded/{**rest}" }, AccessPolicy: "some", AuthorizationPolicy: "some", CompressionPolicy: "some", CorsPolicy: "some",
  OutputCachePolicy: "some", RateLimiterPolicy: "some", TimeoutPolicy: "some",
};

/** The gateway with `engine` as its server. */
export function gateway(name: string, engine: string, { tree = ownTree, flags = [], delegates, checksTokens, policiesElsewhere = false }: GatewayBuild = {}): Proxy {
  const supports = engine === "http1" ? () => true : (shape: Shape) => shape.front === undefined && !isDelegated(shape);
  return {
    name,
    version: () => `this tree, Node ${process.version}`,
    supports: policiesElsewhere ? ({ name: shape }) => shape === "small-get" : checksTokens !== undefined ? (shape) => shape.token !== undefined : delegates === undefined ? supports : isDelegated,
    mayRest: delegates === "sticky",
    start: ({ folder, core, port, originPort, shape }) => {
      const routes: Record<string, unknown> = {};
      if (shape.routes === undefined) routes["all"] = { ClusterId: "origin", Match: { Path: "/{**rest}" } };
      for (let i = 0; i < (shape.routes ?? 0); i++) {
        routes[`route-${i}`] = { ClusterId: "origin", Match: { Path: `/route-${i}/{**rest}` } };
      }
      const kept = shape.cached === true ? { Policies: { OutputCache: { Default: { Duration: "1h" } } } } : {};
      if (policiesElsewhere) routes["guarded"] = guardedRoute;
      const keyFile = join(folder, "jwks.json");
      if (checksTokens !== undefined) writeFileSync(keyFile, JSON.stringify(jwks));
      const Bearer = { Issuer: issuer, Audiences: [audience], KeyFile: keyFile, ...(checksTokens === "each" ? { CacheDuration: "0s" } : {}) };
      const guarded = checksTokens === undefined ? (policiesElsewhere ? { Policies: policies } : {}) : { Policies: { Authentication: { jwt: { Bearer } }, Authorization: { Fallback: {} } } };
      const Certificate = { Path: certificate, KeyPath: certificateKey };
      const endpoint = shape.front === undefined ? {} : { Protocols: protocols[shape.front], ...(isTls(shape) ? { Certificate } : {}) };
      const Metadata = delegates === undefined ? {} : { DelegationSocket: receiverSocket(originPort), DelegationMode: delegates };
      const overHttp2 = { HttpRequest: { Version: "2", VersionPolicy: "RequestVersionExact" } };
      const file = join(folder, `${name}.json`);
      writeFileSync(
        file,
        JSON.stringify({
          ...kept,
          ...guarded,
          Server: {
            Engine: engine,
            Limits: { MaxRequestBodySize: 10_000_000 },
            Endpoints: { bench: { Url: `${isTls(shape) ? "https" : "http"}://127.0.0.1:${port}`, ...endpoint } },
          },
          ReverseProxy: {
            Routes: routes,
            Clusters: {
              origin: { ...(shape.destination === "grpc" ? overHttp2 : {}), Destinations: { only: { Address: `http://127.0.0.1:${originPort}`, Metadata } } },
            },
          },
        }),
      );
      return start(core, [process.execPath, ...nodeFlags, ...flags, join(tree, "apps/gateway/dist/main.js"), "run", "--config", file], { NODE_ENV: "production" });
    },
  };
}

const nginx: Proxy = {
  name: "nginx",
  version: () => firstLine(nginxPath, "-v"),
  start: ({ folder, core, port, originPort, shape }) => {
    const connection = shape.load === "websocket" ? `"upgrade"; proxy_set_header Upgrade $http_upgrade` : `""`;
    const streaming = shape.load === "events" ? "proxy_buffering off;" : "";
    const grpc = `grpc_pass grpc://destination; grpc_set_header X-Forwarded-For $remote_addr;
      grpc_set_header X-Forwarded-Proto $scheme; grpc_set_header X-Forwarded-Host $http_host;`;
    const http = `proxy_pass http://destination; proxy_http_version 1.1; proxy_set_header Connection ${connection}; ${streaming}
      proxy_set_header Host $proxy_host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;`;
    const pass = shape.destination === "grpc" ? grpc : http;
    // nginx at its best: `sendfile` pays for large files alone.
    const sends = shape.path === "/small" ? "" : "sendfile on;";
    const keeps = shape.cached === true ? `proxy_cache_path ${folder}/kept keys_zone=kept:10m; proxy_cache kept; proxy_cache_valid 200 1h; proxy_cache_lock on; open_file_cache max=1000 inactive=1h; open_file_cache_valid 1h; ${sends}` : "";
    const door = `${isTls(shape) ? "ssl " : ""}${isHttp2(shape) ? "http2 " : ""}backlog=4096`;
    const tls = isTls(shape) ? `ssl_certificate ${certificate}; ssl_certificate_key ${certificateKey}; ssl_protocols TLSv1.2 TLSv1.3;` : "";
    let locations = "";
    for (let i = 0; i < (shape.routes ?? 0); i++) locations += `location /route-${i}/ { ${pass} }\n`;
    if (locations === "") locations = `location / { ${pass} }`;
    const config = `${nginxPreamble(folder, "proxy")}
  # As the others: request bodies are passed on while they arrive, and nothing is spooled to disk.
  proxy_request_buffering off; proxy_max_temp_file_size 0;
  ${keeps}
  upstream destination { server 127.0.0.1:${originPort}; keepalive 256; keepalive_requests 100000000; }
  http2_max_requests 100000000; http2_recv_timeout 600s;
  server { listen 127.0.0.1:${port} ${door}; ${tls} ${locations} }
}
`;
    const file = join(folder, "proxy.conf");
    writeFileSync(file, config);
    return start(core, [nginxPath, "-c", file, "-p", folder]);
  },
};

const haproxy: Proxy = {
  name: "haproxy",
  version: () => firstLine("/usr/sbin/haproxy", "-v"),
  supports: (shape) => !isDelegated(shape) && shape.cached !== true,
  start: ({ folder, core, port, originPort, shape }) => {
    const map = join(folder, "haproxy.map");
    let choose = "default_backend destination";
    if (shape.routes !== undefined) {
      writeFileSync(map, Array.from({ length: shape.routes }, (_, i) => `/route-${i}/ destination\n`).join(""));
      choose = `use_backend %[path,map_beg(${map})]`;
    }
    const both = join(folder, "haproxy.pem");
    if (isTls(shape)) writeFileSync(both, readFileSync(certificate, "latin1") + readFileSync(certificateKey, "latin1"));
    const tls = isTls(shape) ? `ssl crt ${both} alpn ${isHttp2(shape) ? "h2,http/1.1" : "http/1.1"}` : "";
    const config = `global
  maxconn 8192
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  option http-keep-alive
frontend front
  bind 127.0.0.1:${port} backlog 4096 ${tls} ${shape.front === "h2c" ? "proto h2" : ""}
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto ${isTls(shape) ? "https" : "http"}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  ${choose}
backend destination
  http-reuse always
  server one 127.0.0.1:${originPort} pool-max-conn 256 ${shape.destination === "grpc" ? "proto h2" : ""}
`;
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, config);
    return start(core, ["/usr/sbin/haproxy", "-db", "-f", file]);
  },
};

export const proxies: readonly Proxy[] = [
  nginx,
  haproxy,
  gateway("gateway", "http1"),
  gateway("gateway-node", "node"),
  gateway("gateway-tokens", "http1", { checksTokens: "each" }),
  gateway("gateway-tokens-kept", "http1", { checksTokens: "unknown" }),
  gateway("gateway-policies-elsewhere", "http1", { policiesElsewhere: true }),
  gateway("gateway-per-request", "http1", { delegates: "perRequest" }),
  gateway("gateway-sticky", "http1", { delegates: "sticky" }),
  peer("node-http2-undici", "node-http2-undici.mjs", (shape) => shape.front === "h2"),
  peer("fast-proxy", "fast-proxy.mjs", withoutRoutes),
  peer("@fastify/http-proxy", "fastify-http-proxy.mjs"),
  peer("http-proxy-3", "http-proxy-3.mjs", withoutRoutes),
  peer("httpxy", "httpxy.mjs", withoutRoutes),
];

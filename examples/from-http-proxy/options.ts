import { readFileSync } from "node:fs";
import { createServer as createHttpsServer, type ServerOptions } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createHttpClient, emptyTransformer, forwardNode, type ForwardNodeOptions, type Transformer } from "@proxy/forwarder";
import type { HttpClient } from "@proxy/http";
import { createReverseProxy, createTransformer, transforms } from "@proxy/pipeline";

/** What an option of http-proxy becomes in the options of `forwardNode` and `forwardNodeUpgrade`. */
export const forwarding = (target: string) =>
  ({
    changeOriginTrue: {},
    changeOriginFalse: { transformer: createTransformer([transforms.requestHeaderOriginalHost(true)]) },
    xfwdTrue: {},
    xfwdFalse: { transformer: createTransformer([transforms.xForwarded("Remove")]) },
    xfwdBehindAProxy: { transformer: createTransformer([transforms.xForwarded("Append")], { trustedProxies: ["127.0.0.1"] }) },
    nothingChanged: { transformer: emptyTransformer },
    auth: { transformer: createTransformer([transforms.requestHeader("Authorization", { set: `Basic ${btoa("user:secret")}` })]) },
    headers: { transformer: createTransformer([transforms.requestHeader("X-Team", { set: "shop" })]) },
    method: { transformer: createTransformer([transforms.httpMethodChange("GET", { set: "POST" })]) },
    ignorePath: { transformer: createTransformer([], { request: (_exchange, outgoing) => void (outgoing.url = `${target}/status`) }) },
    hostRewrite: { transformer: createTransformer([transforms.responseLocation("https://shop.example")], { destination: target }) },
    autoRewrite: { transformer: createTransformer([transforms.responseLocation("/")], { destination: target }) },
    cookieDomainRewrite: { transformer: createTransformer([transforms.responseCookie("*", { domain: "shop.example" })]) },
    cookieDomainRemoved: { transformer: createTransformer([transforms.responseCookie("*", { domain: "" })]) },
    cookiePathRewrite: { transformer: createTransformer([transforms.responseCookie("*", { path: "/shop", fromPath: "/internal" })]) },
    proxyTimeout: { activityTimeout: 30_000, timeout: 60_000 },
  }) satisfies Record<string, ForwardNodeOptions>;

/** What becomes part of the client: one for all requests, as an `agent` is. */
export const clients = {
  agent: () => createHttpClient({ maxConnections: 50, idleTimeout: 30_000 }),
  secureFalse: () => createHttpClient({ tls: { acceptAnyCertificate: true } }),
  ca: (file: string) => createHttpClient({ tls: { ca: readFileSync(file) } }),
  localAddress: () => createHttpClient({ localAddress: "127.0.0.2" }),
  toProxy: (proxy: string) => createHttpClient({ webProxy: { address: proxy } }),
};

// cookieDomainRewrite: { "old.example": "new.example", "*": "" }
const domains = new Map([["old.example", "new.example"]]);
export const cookieDomains: Transformer = createTransformer([], {
  response(_exchange, { headers }) {
    for (let i = headers.indexOf("set-cookie"); i !== -1; i = headers.indexOf("set-cookie", i + 1)) {
      const cookie = headers.valueAt(i).replace(/; *domain=([^;]*)/i, (_attribute, domain: string) => {
        const other = domains.get(domain.toLowerCase().replace(/^\./, ""));
        return other === undefined ? "" : `; Domain=${other}`;
      });
      headers.setValueAt(i, cookie);
    }
  },
});

// ssl: { key, cert }
export function createSecureServer(certificate: ServerOptions, target: string, client: HttpClient) {
  return createHttpsServer(certificate, (req, res) => void forwardNode(req, res, target, client));
}

// Below a mount path of express, as http-proxy sees it: without that path
export function belowMountPath(req: IncomingMessage, res: ServerResponse, target: string, client: HttpClient) {
  return forwardNode(req, res, target, client, { target: req.url });
}

// forward: a copy of each request, whose answer nobody waits for
export const createMirror = (target: string, copies: string) =>
  createReverseProxy({
    config: {
      routes: { all: { clusterId: "target", match: { path: "/{**rest}" }, mirror: { clusterId: "copies" } } },
      clusters: { target: { destinations: { one: { address: target } } }, copies: { destinations: { one: { address: copies } } } },
    },
  });

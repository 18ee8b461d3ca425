import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type OutgoingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import express from "express";
import { describe, expect, onTestFinished, test } from "vitest";
import { createHttpClient, forwardNode, type ForwardNodeOptions } from "@proxy/forwarder";
import type { HttpClient } from "@proxy/http";
import { belowMountPath, clients, cookieDomains, createMirror, createSecureServer, forwarding } from "../options.ts";
import { echo, listening, seen, serving } from "./support.ts";

function used(client: HttpClient): HttpClient {
  onTestFinished(() => client.destroy());
  return client;
}

/** A proxy with these options in front of `target`. */
function proxyTo(target: string, options: ForwardNodeOptions, client = used(createHttpClient())): Promise<string> {
  return serving((req, res) => void forwardNode(req, res, target, client, options));
}

describe("the request", () => {
  const fields = async (option: keyof ReturnType<typeof forwarding>, headers: Record<string, string> = {}) => {
    const target = await echo();
    const proxy = await proxyTo(target, forwarding(target)[option]);
    return { target: new URL(target).host, proxy: new URL(proxy).host, got: await seen(`${proxy}/a?b=c`, { headers }) };
  };

  test("changeOrigin: true is the default, and xfwd: true", async () => {
    for (const option of ["changeOriginTrue", "xfwdTrue"] as const) {
      const { target, proxy, got } = await fields(option, { "X-Forwarded-For": "6.6.6.6" });
      expect(got).toMatchObject({ method: "GET", url: "/a?b=c", headers: { host: target, "x-forwarded-for": "127.0.0.1", "x-forwarded-host": proxy, "x-forwarded-proto": "http" } });
    }
  });

  test("changeOrigin: false", async () => {
    const { proxy, got } = await fields("changeOriginFalse");
    expect(got.headers).toMatchObject({ host: proxy, "x-forwarded-host": proxy });
  });

  test("xfwd: false, and the whole chain of those who are trusted", async () => {
    expect((await fields("xfwdFalse", { "X-Forwarded-For": "6.6.6.6" })).got.headers).not.toHaveProperty("x-forwarded-for");
    const { got } = await fields("xfwdBehindAProxy", { "X-Forwarded-For": "203.0.113.7" });
    expect(got.headers["x-forwarded-for"]).toBe("203.0.113.7, 127.0.0.1");
  });

  test("nothing changed: Host and forwarding fields as they came", async () => {
    const { proxy, got } = await fields("nothingChanged", { "X-Forwarded-For": "6.6.6.6" });
    expect(got.headers).toMatchObject({ host: proxy, "x-forwarded-for": "6.6.6.6" });
  });

  test("auth, headers, method, ignorePath", async () => {
    expect((await fields("auth")).got.headers.authorization).toBe("Basic dXNlcjpzZWNyZXQ=");
    expect((await fields("headers")).got.headers["x-team"]).toBe("shop");
    expect((await fields("method")).got.method).toBe("POST");
    expect((await fields("ignorePath")).got.url).toBe("/status");
  });

  test("prependPath: true is the path of the address", async () => {
    const proxy = await proxyTo(`${await echo()}/base/`, {});
    expect((await seen(`${proxy}/a?b=c`)).url).toBe("/base/a?b=c");
  });

  test("below a mount path", async () => {
    const target = await echo();
    const client = used(createHttpClient());
    const app = express();
    app.use("/mounted", (req, res) => void belowMountPath(req, res, target, client));
    app.use("/whole", (req, res) => void forwardNode(req, res, target, client));
    const proxy = await listening(createServer(app));
    expect((await seen(`${proxy}/mounted/x?y=z`)).url).toBe("/x?y=z");
    expect((await seen(`${proxy}/whole/x?y=z`)).url).toBe("/whole/x?y=z");
  });
});

describe("the response", () => {
  const answered = async (options: (target: string) => ForwardNodeOptions, fields: (target: string) => OutgoingHttpHeaders) => {
    const target: string = await serving((_req, res) => res.writeHead(302, fields(target)).end());
    const proxy = await proxyTo(target, options(target));
    const { headers } = await fetch(`${proxy}/`, { redirect: "manual" });
    return { proxy, location: headers.get("location"), cookies: headers.getSetCookie() };
  };

  test("hostRewrite and protocolRewrite change redirects to the target, and no other", async () => {
    const option = (target: string) => forwarding(target).hostRewrite;
    expect((await answered(option, (target) => ({ Location: `${target}/a?b` }))).location).toBe("https://shop.example/a?b");
    expect((await answered(option, () => ({ Location: "https://elsewhere.example/a" }))).location).toBe("https://elsewhere.example/a");
  });

  test("autoRewrite", async () => {
    const { proxy, location } = await answered((target) => forwarding(target).autoRewrite, (target) => ({ Location: `${target}/a` }));
    expect(new URL(location ?? "", proxy).href).toBe(`${proxy}/a`);
  });

  test("cookies", async () => {
    const cookies = (option: ForwardNodeOptions, ...lines: string[]) => answered(() => option, () => ({ "Set-Cookie": lines })).then((got) => got.cookies);
    const options = forwarding("http://127.0.0.1");
    expect(await cookies(options.cookieDomainRewrite, "a=1; Domain=internal.test; Path=/")).toEqual(["a=1; Path=/; Domain=shop.example"]);
    expect(await cookies(options.cookieDomainRewrite, "b=2")).toEqual(["b=2; Domain=shop.example"]);
    expect(await cookies(options.cookieDomainRemoved, "a=1; Domain=internal.test; Path=/", "b=2")).toEqual(["a=1; Path=/", "b=2"]);
    expect(await cookies(options.cookiePathRewrite, "a=1; Path=/internal/x", "b=2; Path=/y")).toEqual(["a=1; Path=/shop/x", "b=2; Path=/y"]);
    expect(await cookies({ transformer: cookieDomains }, "a=1; domain=.old.example; Path=/", "b=2; Domain=else.example; Secure", "c=3")).toEqual([
      "a=1; Domain=new.example; Path=/",
      "b=2; Secure",
      "c=3",
    ]);
  });

  test("proxyTimeout", async () => {
    expect(forwarding("http://127.0.0.1").proxyTimeout).toEqual({ activityTimeout: 30_000, timeout: 60_000 });
    const target = await serving(() => {});
    const proxy = await proxyTo(target, { timeout: 1 });
    expect((await fetch(proxy)).status).toBe(504);
  });
});

describe("the client", () => {
  test("an agent's settings", async () => {
    const proxy = await proxyTo(await echo(), {}, used(clients.agent()));
    expect((await seen(`${proxy}/a`)).url).toBe("/a");
  });

  test.skipIf(process.platform !== "linux")("localAddress (127.0.0.2 is this machine's own on Linux alone)", async () => {
    const target = await serving((req, res) => res.end(req.socket.remoteAddress));
    const proxy = await proxyTo(target, {}, used(clients.localAddress()));
    expect(await (await fetch(proxy)).text()).toBe("127.0.0.2");
  });

  test("toProxy asks for whole URLs", async () => {
    const webProxy = await echo("web proxy");
    const proxy = await proxyTo("http://192.0.2.1", {}, used(clients.toProxy(webProxy)));
    expect(await seen(`${proxy}/a`)).toMatchObject({ name: "web proxy", url: "http://192.0.2.1:80/a" });
  });
});

test("ssl, secure: false and ca", async () => {
  const folder = await mkdtemp(join(tmpdir(), "from-http-proxy-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  await promisify(execFile)("openssl", [...request, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]);
  const certificate = { key: await readFile(key), cert: await readFile(cert) };
  const plain = await echo();
  const target = (await listening(createSecureServer(certificate, plain, used(createHttpClient())))).replace("http:", "https:");
  const answers = async (client: HttpClient) => (await fetch(`${await proxyTo(target, {}, used(client))}/a`)).status;
  expect([await answers(createHttpClient()), await answers(clients.secureFalse()), await answers(clients.ca(cert))]).toEqual([502, 200, 200]);
});

test("forward sends a copy", async () => {
  let copied: (line: string) => void = () => {};
  const copy = new Promise<string>((resolve) => (copied = resolve));
  const copies = await serving((req, res) => {
    copied(`${req.method} ${req.url}`);
    res.writeHead(500).end();
  });
  const proxy = await createMirror(await echo(), copies);
  onTestFinished(() => proxy.close());
  const address = await serving(proxy.nodeHandler);
  expect((await seen(`${address}/a`, { method: "POST", body: "x" })).body).toBe("x");
  expect(await copy).toBe("POST /a");
});

test("letter case of fields stays, as with preserveHeaderKeyCase", async () => {
  const target = await serving((_req, res) => res.writeHead(200, { "x-MiXeD": "1" }).end());
  const { port, hostname } = new URL(await proxyTo(target, {}));
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
  await once(socket, "end");
  expect(answer).toContain("\r\nx-MiXeD: 1\r\n");
});

import { once } from "node:events";
import fs, { mkdtempSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { RouteConfig, StaticFilesPolicyConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { exchangeBytes } from "../../pipeline/test/support/raw-sockets.ts";
// @boundaries-ignore the doubles of the pipeline's own tests
import { nodeDestination, serve } from "../../pipeline/test/support/serving.ts";
import { createEdgePolicies } from "../src/index.ts";
import { isAlias } from "../src/static-files/static-files-step.ts";

let folder: string;
const large = "0123456789".repeat(100_000);
const open: { close(): Promise<void> }[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "edge-files-"));
  mkdirSync(join(folder, "root/docs/.git"), { recursive: true });
  mkdirSync(join(folder, "root/%2e%2e"), { recursive: true });
  for (const [name, text] of [
    ["secret.txt", "secret"], ["root/index.html", "<h1>start</h1>"], ["root/a.css", "a{}"], ["root/docs/index.html", "docs"], ["root/.env", "secret"],
    ["root/docs/.git/config", "secret"], ["root/large.txt", large], ["root/with blank.txt", "blank"],
  ] as const) writeFileSync(join(folder, name), text);
  symlinkSync(join(folder, "secret.txt"), join(folder, "root/link.txt"));
  symlinkSync(folder, join(folder, "root/out"));
  symlinkSync(join(folder, "root/a.css"), join(folder, "root/inside.css"));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function siteAt(policy: Partial<StaticFilesPolicyConfig> = {}, route: Partial<RouteConfig> = {}) {
  const destination = await nodeDestination((request, response) => response.end(`forwarded ${request.url}`));
  open.push(destination);
  const served = await serve({
    config: {
      routes: { r: { match: { path: "/{**rest}" }, staticFilesPolicy: "site", ...route } },
      clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}/` } } } },
      policies: { staticFiles: { site: { root: join(folder, "root"), ...policy } } },
    },
    extensions: [createEdgePolicies()],
  });
  open.push(served);
  return served;
}

async function site(policy: Partial<StaticFilesPolicyConfig> = {}, route: Partial<RouteConfig> = {}) {
  const { port } = await siteAt(policy, route);
  return (target: string, head = "", method = "GET") => exchangeBytes(port, `${method} ${target} HTTP/1.1\r\nHost: h\r\n${head}Connection: close\r\n\r\n`);
}

const html = "Accept: text/html\r\n";

describe("files", () => {
  it("are answered with type, tag and length", async () => {
    const ask = await site({ maxAge: 60_000 });
    const css = await ask("/a.css?v=1");
    expect(css).toMatch(/^HTTP\/1\.1 200 [^]*Content-Type: text\/css[^]*\r\n\r\na\{\}$/i);
    for (const field of [/^etag: W\/"/im, /^last-modified: /im, /^cache-control: public, max-age=60/im, /^x-content-type-options: nosniff/im, /^content-length: 3\r/im]) expect(css).toMatch(field);
    expect(await ask("/")).toMatch(/200 [^]*<h1>start<\/h1>$/);
    expect(await ask("/with%20blank.txt")).toMatch(/200 [^]*blank$/);
    expect(await ask("/inside.css")).toMatch(/200 [^]*a\{\}$/);
    expect((await ask("/large.txt")).endsWith(`\r\n\r\n${large}`)).toBe(true);
    expect(await ask("/a.css", "", "HEAD")).toMatch(/200 [^]*content-length: 3\r\n[^]*\r\n\r\n$/i);
  });

  it("come in parts, and not at all where the client has them", async () => {
    const ask = await site();
    expect(await ask("/large.txt", "Range: bytes=5-8\r\n")).toMatch(/^HTTP\/1\.1 206 [^]*content-range: bytes 5-8\/1000000\r\n[^]*\r\n\r\n5678$/i);
    expect(await ask("/large.txt", "Range: bytes=2000000-\r\n")).toMatch(/^HTTP\/1\.1 416 [^]*content-range: bytes \*\/1000000\r\n[^]*\r\n\r\n$/i);
    const tag = /^etag: (.*)\r$/im.exec(await ask("/a.css"))?.[1] ?? "";
    expect(await ask("/a.css", `If-None-Match: ${tag}\r\n`)).toMatch(/^HTTP\/1\.1 304 [^]*\r\n\r\n$/);
    expect(await ask("/a.css", 'If-Match: "other"\r\n')).toMatch(/^HTTP\/1\.1 412 /);
    const date = /^last-modified: (.*)\r$/im.exec(await ask("/a.css"))?.[1] ?? "";
    expect(await ask("/a.css", `If-Modified-Since: ${date}\r\n`)).toMatch(/^HTTP\/1\.1 304 /);
    expect(await ask("/a.css", "If-Modified-Since: Mon, 01 Jan 1990 00:00:00 GMT\r\n")).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("come whole where a range is several, malformed, or of something else", async () => {
    const ask = await site();
    const first = await ask("/large.txt", "Range: bytes=0-0\r\n");
    expect(first).toMatch(/^HTTP\/1\.1 206 [^]*\r\n\r\n0$/);
    const date = /^last-modified: (.*)\r$/im.exec(first)?.[1] ?? "";
    expect(await ask("/large.txt", `Range: bytes=-3\r\nIf-Range: ${date}\r\n`)).toMatch(/^HTTP\/1\.1 206 [^]*\r\n\r\n789$/);
    for (const head of [
      "Range: bytes=0-1,3-4\r\n", "Range: lines=0-1\r\n",
      'Range: bytes=0-1\r\nIf-Range: "other"\r\n', "Range: bytes=0-1\r\nIf-Range: Mon, 01 Jan 1990 00:00:00 GMT\r\n",
    ]) {
      const answer = await ask("/large.txt", head);
      expect([head, answer.slice(0, 12), answer.endsWith(`\r\n\r\n${large}`)]).toEqual([head, "HTTP/1.1 200", true]);
    }
    // No bytes that are not of the file, whatever is asked for.
    for (const range of ["bytes=0-,0-,0-,0-,0-", "bytes=5-2", "bytes=a-b", "bytes=-0", "bytes=--1", "bytes=1e3-1e4", "bytes=0x5-0x9", "bytes=", "bytes=-", "bytes=999999999999999999999-", "bytes=-99999999999999999999"]) {
      const answer = await ask("/large.txt", `Range: ${range}\r\n`);
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      expect([range, /^HTTP\/1\.1 (?:200|206|416) /.test(head), large.includes(body), Number(/^content-length: (\d+)/im.exec(head)?.[1])]).toEqual([range, true, true, body.length]);
    }
  });

  it.runIf(process.platform === "linux")("are closed when the client leaves in the middle (where /proc tells what is open)", async () => {
    const file = join(folder, "root/endless.bin");
    writeFileSync(file, "");
    truncateSync(file, 256 * 1_048_576);
    const { port } = await siteAt();
    const isOpen = (): boolean => readdirSync("/proc/self/fd").some((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === file;
      } catch {
        return false;
      }
    });
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /endless.bin HTTP/1.1\r\nHost: h\r\n\r\n");
    await once(socket, "readable");
    expect(isOpen()).toBe(true);
    socket.destroy();
    await expect.poll(isOpen).toBe(false);
  });

  it("of a folder are reached with its slash, and no slashes lead to another host", async () => {
    const ask = await site();
    expect(await ask("/docs?q")).toMatch(/^HTTP\/1\.1 301 [^]*Location: \/docs\/\?q\r\n/);
    expect(await ask("/docs/")).toMatch(/200 [^]*docs$/);
    expect(await ask("//docs")).not.toMatch(/Location: \/\//);
  });
});

describe("a file that cannot be opened", () => {
  const open = fs.createReadStream;
  afterEach(() => void vi.restoreAllMocks());

  it("is none where it has gone meanwhile", async () => {
    const ask = await site();
    vi.spyOn(fs, "createReadStream").mockImplementation(() => open(join(folder, "root/gone")));
    expect(await ask("/a.css")).toMatch(/^HTTP\/1\.1 404 /);
    vi.restoreAllMocks();
    expect(await ask("/a.css")).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("is told by status, and does not end the process", async () => {
    const ask = await site();
    for (const [code, status] of [["EACCES", 403], ["EMFILE", 503]] as const) {
      const failing = (_path: string, _flags: string, _mode: number, done: (error: Error) => void): void => void setImmediate(done, Object.assign(new Error(code), { code }));
      const system = { open: failing, read: fs.read, close: fs.close } as unknown as typeof fs;
      vi.spyOn(fs, "createReadStream").mockImplementation(() => open("a", { fs: system }));
      expect(await ask("/a.css"), code).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      vi.restoreAllMocks();
    }
  });
});

describe("what is outside of the folder, or hidden", () => {
  it("is no file, however it is written", async () => {
    const ask = await site();
    for (const target of [
      "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt", "/docs/..%2f..%2fsecret.txt", "/..%5csecret.txt", "/..\\secret.txt", "/%252e%252e/secret.txt",
      "/link.txt", "/out/secret.txt", "/.env", "/%2eenv", "/docs/.git/config", "/a.css%00.txt", "/a.css/", "//etc/passwd", "/%2f%2fetc%2fpasswd", "/C:/secret.txt",
    ]) {
      const answer = await ask(target);
      expect(answer, target).toMatch(/^HTTP\/1\.1 40[04] /);
      expect(answer, target).not.toMatch(/secret$|root:/);
    }
  });
});

describe("what Windows opens by another name", () => {
  it("is no file there", () => {
    for (const path of ["/a.css::$DATA", "/a.css%3a%3a$DATA", "/docs:$I30:$INDEX_ALLOCATION/", "/ENV~1", "/docs/GIT~1/config", "/a.css.", "/a.css%20", "/docs./a", "/aux", "/docs/NUL", "/con.txt", "/COM1", "/lpt%C2%B9.txt", "/a%5cb", "/%ff"]) {
      expect([path, isAlias(path, "win32"), isAlias(path, "linux")]).toEqual([path, true, false]);
    }
    for (const path of ["/", "/a.css", "/docs/", "/a.b.c", "/console.txt", "/null", "/auxiliary", "/com10", "/a~b", "/with%20blank.txt"]) expect([path, isAlias(path, "win32")]).toEqual([path, false]);
  });
});

describe("the fallback", () => {
  it("is for pages, and not for data and other methods", async () => {
    const ask = await site({ fallback: "index.html", maxAge: 60_000 });
    expect(await ask("/orders/7", html)).toMatch(/^HTTP\/1\.1 200 [^]*max-age=0[^]*<h1>start<\/h1>$/i);
    expect(await ask("/data.json", "Accept: application/json\r\n")).toMatch(/^HTTP\/1\.1 404 /);
    expect(await ask("/orders/7", html, "POST")).toMatch(/^HTTP\/1\.1 405 [^]*Allow: GET, HEAD\r\n/);
    expect(await (await site())("/orders/7", html)).toMatch(/^HTTP\/1\.1 404 /);
    expect(await ask("/orders/7", html, "HEAD")).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\n$/);
  });

  it("is for browsers on their way to a page, and for no part of one", async () => {
    const ask = await site({ fallback: "index.html" });
    const browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";
    const status = async (target: string, head: string): Promise<string> => (await ask(target, head)).slice(9, 12);
    for (const target of ["/orders", "/orders/7?x=a.js", "/users/john.doe", "/v1.2", "/search/site.example"]) expect([target, await status(target, `${browser}Sec-Fetch-Mode: navigate\r\n`), await status(target, browser)]).toEqual([target, "200", "200"]);
    for (const mode of ["cors", "no-cors", "same-origin", "websocket"]) expect([mode, await status("/api/orders", `${browser}Sec-Fetch-Mode: ${mode}\r\n`)]).toEqual([mode, "404"]);
    for (const accept of ["*/*", "application/json", "image/avif,image/webp,*/*;q=0.8", "text/html;q=0, */*", "text/*", "application/json; profile=\"text/html\"", ""]) expect([accept, await status("/api/orders", `Accept: ${accept}\r\n`)]).toEqual([accept, "404"]);
    expect(await status("/api/orders", "")).toBe("404");
    for (const target of ["/assets/app.3f2a.js", "/assets/gone.CSS", "/logo.png", "/a/b.json", "/font.woff2", "/sw.mjs", "/app.js.map"]) expect([target, await status(target, `${browser}Sec-Fetch-Mode: navigate\r\n`)]).toEqual([target, "404"]);
  });
});

describe("a route with a cluster", () => {
  it("forwards what is no file", async () => {
    const ask = await site({ requestPath: "/assets", fallback: "index.html" }, { clusterId: "c" });
    expect(await ask("/assets/a.css")).toMatch(/200 [^]*a\{\}$/);
    expect(await ask("/assets/none.css", html)).toMatch(/forwarded \/assets\/none\.css/);
    expect(await ask("/assetsa.css")).toMatch(/forwarded \/assetsa\.css/);
    expect(await ask("/a.css")).toMatch(/forwarded \/a\.css/);
  });
});

describe("a policy", () => {
  it("without a folder is a configuration error", async () => {
    await expect(site({ root: join(folder, "nowhere") })).rejects.toThrow("is no folder");
    await expect(site({ fallback: "../secret.txt" })).rejects.toThrow("is no file below Root");
  });
});

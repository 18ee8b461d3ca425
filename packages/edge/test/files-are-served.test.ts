import fs, { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { RouteConfig, StaticFilesPolicyConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { exchangeBytes } from "../../pipeline/test/support/raw-sockets.ts";
// @boundaries-ignore the doubles of the pipeline's own tests
import { nodeDestination, serve } from "../../pipeline/test/support/serving.ts";
import { createEdgePolicies } from "../src/index.ts";

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

async function site(policy: Partial<StaticFilesPolicyConfig> = {}, route: Partial<RouteConfig> = {}) {
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
  return (target: string, head = "", method = "GET") => exchangeBytes(served.port, `${method} ${target} HTTP/1.1\r\nHost: h\r\n${head}Connection: close\r\n\r\n`);
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

describe("the fallback", () => {
  it("is for pages, and not for data and other methods", async () => {
    const ask = await site({ fallback: "index.html", maxAge: 60_000 });
    expect(await ask("/orders/7", html)).toMatch(/^HTTP\/1\.1 200 [^]*max-age=0[^]*<h1>start<\/h1>$/i);
    expect(await ask("/data.json", "Accept: application/json\r\n")).toMatch(/^HTTP\/1\.1 404 /);
    expect(await ask("/orders/7", html, "POST")).toMatch(/^HTTP\/1\.1 405 [^]*Allow: GET, HEAD\r\n/);
    expect(await (await site())("/orders/7", html)).toMatch(/^HTTP\/1\.1 404 /);
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

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ErrorPageConfig, RouteConfig } from "@proxy/config";
import { createEngineServer, createNodeServer, HeaderList } from "@proxy/http";
import { createReverseProxy, transforms } from "@proxy/pipeline";
import { accepts } from "../src/error-pages/accepted-type.ts";
import { compileErrorPages } from "../src/error-pages/error-pages.ts";
import { exchangeBytes, rawDestination } from "./support/raw-sockets.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const html: ErrorPageConfig = { status: "5xx", body: "<h1>sorry ü</h1>", contentType: "text/html; charset=utf-8" };
const json: ErrorPageConfig = { status: "4xx,5xx", body: '{"error":true}', contentType: "application/json" };

async function start(pages: readonly ErrorPageConfig[], route: Partial<RouteConfig>, front = createNodeServer, answer = "") {
  const destination = await rawDestination((received, socket) => {
    if (received.endsWith("\r\n\r\n")) socket.write(answer, "latin1");
  });
  const proxy = await createReverseProxy({
    config: {
      routes: {
        get: { match: { path: "/get", methods: ["GET"] }, respond: {} },
        nothing: { match: { path: "/nothing" }, clusterId: "none" },
        said: { match: { path: "/said" }, respond: { statusCode: 404, body: "said" } },
        r: { clusterId: "c", match: { path: "/r/{**rest}" }, ...route },
      },
      clusters: {
        none: { destinations: {} },
        c: { destinations: { d: { address: answer === "" ? "http://127.0.0.1:1" : `http://127.0.0.1:${destination.port}` } } },
      },
    },
    errorPages: pages,
  });
  const server = front({ handler: proxy.handle });
  open.push(destination, proxy, { close: () => server.close(500) });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    destination,
    ask: (path: string, fields = "", method = "GET") => exchangeBytes(port, `${method} ${path} HTTP/1.1\r\nHost: a\r\n${fields}Connection: close\r\n\r\n`),
  };
}

describe.each([
  ["the engine", createEngineServer],
  ["node:http", createNodeServer],
])("error pages on %s", (_, front) => {
  it("come with whatever the gateway answers by itself", async () => {
    const { ask } = await start([html, json], {}, front);
    expect(await ask("/no-such")).toMatch(/^HTTP\/1\.1 404 [^]*Content-Type: application\/json\r\n[^]*\r\n\r\n\{"error":true\}$/i);
    expect(await ask("/get", "", "POST")).toMatch(/^HTTP\/1\.1 405 [^]*Allow: GET[^]*\{"error":true\}$/i);
    expect(await ask("/nothing")).toMatch(/^HTTP\/1\.1 503 [^]*sorry/);
    const refused = await ask("/r/x");
    expect(refused).toMatch(/^HTTP\/1\.1 502 /);
    // The length of its bytes, not of its letters.
    expect(refused).toMatch(/\r\nContent-Length: 17\r\n/i);
    expect(refused.endsWith("<h1>sorry \u00c3\u00bc</h1>")).toBe(true);
    expect(refused.match(/content-(?:length|type):/gi)).toHaveLength(2);
  });

  it("of HEAD are their heads", async () => {
    const answer = await (await start([html, json], {}, front)).ask("/no-such", "", "HEAD");
    expect(answer).toMatch(/^HTTP\/1\.1 404 [^]*Content-Length: 14\r\n[^]*\r\n\r\n$/i);
  });

  it("leave bodies that are there", async () => {
    expect(await (await start([html, json], {}, front)).ask("/said")).toMatch(/\r\n\r\nsaid$/);
  });

  it("of the route come before those of the proxy, and transforms see the answer before them", async () => {
    const route = { errorPages: [{ status: "502", body: "of the route" }], transforms: [transforms.responseHeader("X-Gate", { set: "1", when: "Failure" })] };
    const answer = await (await start([html], route, front)).ask("/r/x");
    expect(answer).toMatch(/^HTTP\/1\.1 502 [^]*X-Gate: 1\r\n[^]*\r\n\r\nof the route$/);
  });

  it("take the place of what a destination answers where they say so, and its connection lives on", async () => {
    const answered = 'HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nETag: "a"\r\nX-Kept: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwords\r\n0\r\nX-Sum: 1\r\n\r\n';
    const { ask, destination } = await start([{ ...html, intercept: true }], {}, front, answered);
    const answers = (await ask("/r/x")) + (await ask("/r/x"));
    expect(answers.match(/HTTP\/1\.1 500 /g)).toHaveLength(2);
    expect(answers.match(/sorry/g)).toHaveLength(2);
    expect(answers).toMatch(/X-Kept: 1/i);
    expect(answers).not.toMatch(/words|gzip|ETag|X-Sum/i);
    expect(destination.received).toHaveLength(1);
  });

  it("do not wait for the end of a long answer that nobody gets", async () => {
    const { ask, destination } = await start([{ ...html, intercept: true }], {}, front, `HTTP/1.1 500 Oops\r\nContent-Length: 100000000\r\n\r\n${"x".repeat(2_000_000)}`);
    expect(await ask("/r/x")).toMatch(/^HTTP\/1\.1 500 [^]*sorry/);
    await expect.poll(() => destination.sockets.size).toBe(0);
  });

  it("leave what a destination answers where they do not", async () => {
    const { ask } = await start([html, json], {}, front, "HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nwords");
    expect(await ask("/r/x")).toMatch(/^HTTP\/1\.1 500 Oops\r\n[^]*\r\n\r\nwords$/);
    const { ask: other } = await start([{ ...html, status: "503", intercept: true }], {}, front, "HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nwords");
    expect(await other("/r/x")).toMatch(/words$/);
  });

  it("are what the client takes", async () => {
    const { ask } = await start([html, json], {}, front);
    expect(await ask("/nothing", "Accept: application/json\r\n")).toMatch(/Vary: Accept\r\n[^]*\{"error":true\}$/i);
    expect(await ask("/nothing", "Accept: text/html, */*;q=0.1\r\n")).toMatch(/sorry/);
    expect(await ask("/nothing", "Accept: image/png\r\n")).toMatch(/Content-Length: 0\r\n[^]*\r\n\r\n$/i);
  });
});

describe("a page", () => {
  it("is read from its file, whose name tells its type", () => {
    const folder = mkdtempSync(join(tmpdir(), "pages-"));
    try {
      const bodyFile = join(folder, "sorry.html");
      writeFileSync(bodyFile, "from a file");
      const pages = compileErrorPages([{ status: "404", bodyFile }], (path, message) => expect.unreachable(`${path.join("/")}: ${message}`));
      const request = { headers: new HeaderList() } as Parameters<NonNullable<typeof pages>["find"]>[1];
      const page = pages?.find(404, request, false);
      expect([page?.contentType, String(page?.body), pages?.find(405, request, false)]).toEqual(["text/html; charset=utf-8", "from a file", undefined]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each<[ErrorPageConfig, string]>([
    [{ status: "200", body: "" }, "Status"],
    [{ status: "", body: "" }, "Status"],
    [{ status: "600", body: "" }, "Status"],
    [{ status: "500-400", body: "" }, "Status"],
    [{ status: "404" }, "Body"],
    [{ status: "404", body: "", bodyFile: "/dev/null" }, "Body"],
    [{ status: "404", bodyFile: "/no/such/file" }, "BodyFile"],
    [{ status: "404", body: "", contentType: "text" }, "ContentType"],
    [{ status: "404", body: "", contentType: "text/html\r\nX: y" }, "ContentType"],
  ])("%j is a fault", (page, member) => {
    const faults: (string | number)[][] = [];
    compileErrorPages([page], (path) => faults.push([...path]));
    expect(faults[0]).toEqual([0, member]);
  });

  it("of a route that is none refuses the configuration", async () => {
    await expect(start([], { errorPages: [{ status: "7xx", body: "" }] })).rejects.toMatchObject({ issues: [{ code: "error-page", path: ["ErrorPages", 0, "Status"] }] });
    await expect(start([{ status: "7xx", body: "" }], {})).rejects.toThrow(TypeError);
  });
});

it("the most specific range of Accept decides", () => {
  const taken = (value: string, type: string): boolean => accepts(HeaderList.from([["Accept", value]]), type);
  expect(taken("text/*;q=0, */*", "text/html")).toBe(false);
  expect(taken("text/*;q=0, Text/HTML;level=1", "text/html")).toBe(true);
  expect(taken("*/*;q=0.0", "text/html")).toBe(false);
  expect(taken("application/json", "text/html")).toBe(false);
  expect(taken("", "text/html")).toBe(false);
  expect(accepts(new HeaderList(), "text/html")).toBe(true);
});

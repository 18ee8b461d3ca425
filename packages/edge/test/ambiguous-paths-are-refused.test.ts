import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEngineServer, createHttp2Server, createNodeServer, normalizePath } from "@proxy/http";
import { createReverseProxy } from "@proxy/pipeline";
import { connect } from "node:http2";
// @boundaries-ignore the doubles of the pipeline's own tests
import { exchangeBytes, rawDestination } from "../../pipeline/test/support/raw-sockets.ts";
import { createEdgePolicies } from "../src/index.ts";
import { isAmbiguousPath } from "../src/exchange/ambiguous-path.ts";
import { configOf, edgeProxy } from "./proxies.ts";

/** What leads to `/admin` in one server or another, and not in the gateway's routes. */
const attacks = [
  "//admin",
  "/admin//",
  "/open//../admin//x",
  "/open/..;/admin",
  "/open/.;/admin",
  "/;/admin",
  "/admin;",
  "/admin;/x",
  "/admin;jsessionid=1",
  "/open;/../admin;x",
  "/open/..%3b/admin",
  "/open/..%3B/admin",
  "/admin%3bx",
  "/open%2fadmin",
  "/open%2F..%2Fadmin",
  "/open/..%2fadmin",
  "/%2fadmin",
  "/%2e%2e%2fadmin",
  "/open/%2e%2e%2fadmin",
  "/open/.%2e%5cadmin",
  "/open%5c..%5cadmin",
  "/%5cadmin",
  "/open/..%5Cadmin",
  "/open%252fadmin",
  "/open/%252e%252e/admin",
  "/open/%25252e%25252e/admin",
  "/%2561dmin",
  "/admin%2e",
  "/admin%2ehtml",
  "/admin.",
  "/admin./",
  "/admin.../x",
  "/open/.../admin",
  "/open/%2e%2e%2e/admin",
  "/admin%20",
  "/admin%20/x",
  "/%20admin",
  "/admin%09",
  "/admin%0a",
  "/admin%0d%0ax",
  "/admin%01",
  "/admin%1f",
  "/admin%7f",
  "/admin%23x",
  "/admin%3fx",
  "/admin%3Fx",
  "/open%c0%afadmin",
  "/open/%c0%ae%c0%ae/admin",
  "/open/%e0%80%af/admin",
  "/open/%f0%80%80%af/admin",
  "/open%ef%bc%8fadmin",
  "/open%ef%bc%bc..%ef%bc%bcadmin",
  "/open/%ef%bc%8e%ef%bc%8e/admin",
  "/open/.%ef%bc%8e/admin",
  "/open/%e2%80%a5/admin",
  "/open/%e2%80%a4%e2%80%a4/admin",
  "/open%ef%bc%852fadmin",
  "/open%e2%88%95admin",
  "/open%e2%81%84admin",
  "/open%e2%88%96admin",
  "/open%e2%84%80admin",
  "/open%c2%85admin",
  "/admin%ff",
  "/admin%e4",
  "/admin%ed%a0%80",
] as const;

/** Refused by the front server already, whatever the policy. */
const refusedAnyway = ["/admin%00", "/admin%00.css", "/%u002e%u002e/admin", "/open\\..\\admin", "/admin%", "/admin%2", "/admin%2g", "/ad\u00e4min", "/admin\t"] as const;

/** Other spellings of what the routes know by one. */
const normal = ["/open/../admin", "/open/%2e%2E/admin", "/open/.%2e/admin", "/./admin", "/%61dmin", "/%41DMIN", "/Admin", "/a%64m%69n"] as const;

const ordinary = [
  "/",
  "/index.html",
  "/a/b/",
  "/.well-known/acme-challenge/x_-~y",
  "/v1/items:batchGet",
  "/v1.2/a..b/c.d.e",
  "/packages/@scope/name/-/name-1.0.0.tgz",
  "/a+b,c=d&e!$'()*",
  "/a%20b/c%26d%3De%2Bf%40g%3Ah%2Ci%27j%22k",
  "/%7Euser",
  "/wiki/%C3%84rger",
  "/wiki/%E4%BD%95%EF%BC%9F",
  "/wiki/100%EF%BC%85",
  "/wiki/To_be_continued%E2%80%A6",
  "/wiki/%C2%BD",
  "/%F0%9F%98%80",
  "/%E2%9D%A4%EF%B8%8F",
  "/matrix/[0]",
  "/..a/...b/.c",
] as const;

describe("with AmbiguousPaths: Refuse", () => {
  it("every path is refused that a destination may read as another", async () => {
    const { send, clients } = await edgeProxy(configOf({ access: { p: { ambiguousPaths: "Refuse" } } }, { accessPolicy: "p" }));
    for (const target of attacks) {
      const { response } = await send({ target });
      expect([target, response.status, response.text]).toEqual([target, 400, ""]);
    }
    expect(clients[0]?.calls.length).toBe(0);
    for (const target of ordinary) expect([target, (await send({ target })).response.status]).toEqual([target, 200]);
  });

  it("no query is looked at", async () => {
    const { send } = await edgeProxy(configOf({ access: { p: { ambiguousPaths: "Refuse" } } }, { accessPolicy: "p" }));
    expect((await send({ target: "/?next=//a%2f..%5c;x%2e%00" })).response.status).toBe(200);
  });

  it("the path that the application took off first counts too", async () => {
    const { send } = await edgeProxy(configOf({ access: { p: { ambiguousPaths: "Refuse" } } }, { accessPolicy: "p" }));
    expect([(await send({ target: "/x", pathBase: "/a;b" })).response.status, (await send({ target: "/x", pathBase: "/a" })).response.status]).toEqual([400, 200]);
  });

  it("an attack stays one wherever it stands in an ordinary path", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_~-][A-Za-z0-9_~.-]{0,8}[A-Za-z0-9_~-]$/);
    fc.assert(
      fc.property(fc.constantFrom(...attacks), fc.array(name, { maxLength: 4 }), fc.array(name, { maxLength: 4 }), (attack, before, after) => {
        const path = normalizePath(`${before.map((each) => `/${each}`).join("")}${attack}${after.map((each) => `/${each}`).join("")}`);
        expect(path !== undefined && isAmbiguousPath(path)).toBe(true);
      }),
    );
  });

  it("no path is refused whose segments are names, however encodeURIComponent writes them", () => {
    const characters = fc.oneof(fc.constantFrom(...Array.from("abcXYZ019-_~!$&'()*+,=:@ä何？😀é")), fc.constantFrom(...Array.from(" <>\"^`{|}.[]")));
    const name = fc.string({ unit: characters, minLength: 1, maxLength: 12 }).map((text) => `a${text}z`);
    fc.assert(
      fc.property(fc.array(name, { maxLength: 5 }), fc.boolean(), (names, folder) => {
        const path = normalizePath(`/${names.map((each) => encodeURIComponent(each)).join("/")}${folder && names.length > 0 ? "/" : ""}`);
        expect([path, path !== undefined && isAmbiguousPath(path)]).toEqual([path, false]);
      }),
    );
  });

  it("what passes has one reading: decoding it, once more, or cutting it as other servers do changes no segment", () => {
    const pieces = fc.constantFrom("/", "//", ".", "..", "%2e", "%2f", "%5c", "%25", "25", "2f", ";", "%3b", "a", "b", "%61", "%c3%a4", "%ef%bc%8f", "%ef%bc%8e", "%c0%af", "%20", "+", "%3f", "%23", "admin");
    const segmentsOf = (path: string): string[] => path.split("/");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const path = normalizePath(`/${parts.join("")}`);
        if (path === undefined || isAmbiguousPath(path)) return;
        const read = segmentsOf(path).map((segment) => decodeURIComponent(segment));
        const others = [
          decodeURIComponent(path),
          decodeURIComponent(decodeURIComponent(path)),
          decodeURIComponent(path).replaceAll("\\", "/"),
          decodeURIComponent(path).replaceAll(/\/+/g, "/"),
          decodeURIComponent(path).replaceAll(/;[^/]*/g, ""),
          decodeURIComponent(path).replace(/[?#].*$/, ""),
          decodeURIComponent(path).replaceAll(/[. ]+(?=\/|$)/g, ""),
          new URL(decodeURIComponent(path), "http://h").pathname.split("/").map((segment) => decodeURIComponent(segment)).join("/"),
        ];
        for (const other of others) expect(segmentsOf(other)).toEqual(read);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("without it", () => {
  it("they pass as they came, and routes match them as names of their own", async () => {
    for (const policy of [{}, { ambiguousPaths: "Pass" as const }]) {
      const { send, clients } = await edgeProxy(configOf({ access: { p: { ...policy, methods: ["GET"] } } }, { accessPolicy: "p" }));
      for (const target of ["/open/..;/admin", "/open%2fadmin", "//admin"]) expect((await send({ target })).response.status).toBe(200);
      expect(clients[0]?.calls.map(({ request }) => request.target)).toEqual(["/open/..;/admin", "/open%2fadmin", "//admin"]);
    }
  });
});

describe("over the wire, beside a route that is closed", () => {
  for (const [name, createServer] of [["the engine", createEngineServer], ["node:http", createNodeServer], ["HTTP/2", createHttp2Server]] as const) {
    it(`no spelling of it gets through the open one (${name})`, async () => {
      const destination = await rawDestination((received, socket) => {
        if (received.endsWith("\r\n\r\n")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
      });
      const proxy = await createReverseProxy({
        config: {
          routes: {
            admin: { match: { path: "/admin/{**rest}" }, accessPolicy: "closed", clusterId: "c" },
            open: { match: { path: "/{**rest}" }, accessPolicy: "strict", clusterId: "c" },
          },
          clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}/` } } } },
          policies: { access: { closed: { denyAddresses: ["0.0.0.0/0"] }, strict: { ambiguousPaths: "Refuse" } } },
        },
        extensions: [createEdgePolicies()],
      });
      const server = createServer({ handler: proxy.handle });
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      const session = name === "HTTP/2" ? connect(`http://127.0.0.1:${port}`) : undefined;
      const statusOf = async (path: string): Promise<number> => {
        if (session === undefined) return Number((await exchangeBytes(port, `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)).split(" ", 2)[1]);
        return new Promise((resolve) => {
          const stream = session.request({ ":path": path });
          stream.on("response", (head) => resolve(Number(head[":status"])));
          // A stream that is reset has no status.
          stream.on("error", () => resolve(400));
          stream.resume();
          stream.end();
        });
      };
      try {
        for (const path of attacks) expect([path, [400, 403].includes(await statusOf(path))]).toEqual([path, true]);
        for (const path of refusedAnyway) if (session === undefined || !/[^\u0021-\u007e]/.test(path)) expect([path, await statusOf(path)]).toEqual([path, 400]);
        for (const path of normal) expect([path, await statusOf(path)]).toEqual([path, 403]);
        expect(destination.received.length).toBe(0);
        expect(await statusOf("/open/x.html")).toBe(200);
      } finally {
        session?.destroy();
        await server.close(100);
        await proxy.close();
        await destination.close();
      }
    });
  }
});

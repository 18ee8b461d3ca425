import { describe, expect, it } from "vitest";
import type { ConfigIssue } from "@proxy/config";
import { onlyIf, transforms } from "@proxy/pipeline";
import { transformCatalogue } from "../src/transforms/catalogue.ts";
import { planTransforms } from "../src/transforms/compile.ts";
import type { FakeRequest } from "./support/fake-exchange.ts";
import { testProxy } from "./support/proxies.ts";
import { sendThrough, valuesOf } from "./support/transform-cases.ts";

function faultsOf(transform: Record<string, string>): string[] {
  const issues: ConfigIssue[] = [];
  planTransforms({ routeId: "r", match: {}, transforms: [transform] }, transformCatalogue(), issues);
  return issues.map(({ code }) => code);
}

describe("If", () => {
  const request: FakeRequest = { method: "POST", target: "/p?Preview=on&x=a%20b&y", headers: [["X-A", "1"], ["X-A", "two words"]] };

  it.each<[condition: string, holds: boolean]>([
    ["method POST", true],
    ["method GET,POST", true],
    ["method post", true],
    ["not method Put,Brew", true],
    ["not method GET", true],
    ["header x-a", true],
    ["header X-A = 1", true],
    ['header X-A="two words"', true],
    ["header X-A = 2", false],
    ["header X-B", false],
    ["query preview", true],
    ["query preview = on", true],
    ["query preview = ON", false],
    ['query x = "a b"', true],
    ["query y", true],
    ['query y = ""', true],
    ["query z", false],
    ["method POST and query preview and not header X-B", true],
    ["method POST and header X-B", false],
    ["NOT header X-B AND METHOD POST", true],
  ])("%s: %s", async (condition, holds) => {
    const { headers } = await sendThrough({ transforms: [onlyIf(condition, transforms.requestHeader("X-Hit", { set: "1" }))], request });
    expect(valuesOf(headers, "X-Hit")).toEqual(holds ? ["1"] : null);
  });

  it.each<[condition: string, status: number, holds: boolean]>([
    ["status 404,500-599", 404, true],
    ["status 404,500-599", 503, true],
    ["status 404,500-599", 200, false],
    ["not status 200 and method GET", 500, true],
  ])("%s on %i: %s", async (condition, status, holds) => {
    const { exchange } = await sendThrough({
      transforms: [
        onlyIf(condition, transforms.responseHeader("X-Hit", { set: "1", when: "Always" })),
        onlyIf(condition, transforms.responseTrailer("X-Hit", { set: "1", when: "Always" })),
      ],
      script: (call) => call.respond(status, [], "body"),
    });
    expect(exchange.response.header("X-Hit")).toBe(holds ? "1" : undefined);
    expect(exchange.response.trailers?.get("x-hit")).toBe(holds ? "1" : undefined);
  });

  it("asks of the request as it came, whatever transforms did before", async () => {
    const { headers } = await sendThrough({
      transforms: [transforms.requestHeaderRemove("X-A"), onlyIf("header X-A", transforms.requestHeader("X-Hit", { set: "1" }))],
      request,
    });
    expect([valuesOf(headers, "X-A"), valuesOf(headers, "X-Hit")]).toEqual([null, ["1"]]);
  });

  it("is refused when it is not understood", () => {
    for (const text of ["", "metod GET", "method", "header", "header a b", "header a =", "status 99", "status abc", "method GET or method PUT", "not", "and", "method GET and", 'header a = "b', 'header a = b"', 'header a = "b" c"', 'header "', "status 500-404"]) {
      expect([text, faultsOf({ PathSet: "/x", If: text })]).toEqual([text, ["bad-if"]]);
    }
  });

  it("is refused where it cannot be", () => {
    const whole = [{ RequestHeadersCopy: "true" }, { RequestHeadersAllowed: "a" }, { "X-Forwarded": "Set" }, { Forwarded: "for" }, { ResponseTrailersAllowed: "a" }, { ClientAddress: "X-Real-IP" }, { ClientCert: "X-Cert" }];
    for (const each of whole) expect(faultsOf({ ...each, If: "method GET" } as Record<string, string>)).toEqual(["if-not-possible"]);
    expect(faultsOf({ PathSet: "/x", If: "status 200" })).toEqual(["if-not-possible"]);
  });

  it("does not hide what else is wrong", () => {
    expect(faultsOf({ PathSet: "/../x", If: "nonsense" })).toEqual(["bad-if", "bad-path"]);
    expect(faultsOf({ Nonsense: "/x", If: "method GET" })).toEqual(["unknown-transform"]);
  });
});

describe("RedirectToHttps", () => {
  async function answerOf(settings: Record<string, string>, request: FakeRequest, trusted = false): Promise<[number | undefined, string | undefined, number]> {
    const { send, clients } = await testProxy(
      {
        routes: { r: { clusterId: "c", match: { path: "/{**path}" }, transforms: [{ RedirectToHttps: "307", ...settings }] } },
        clusters: { c: { destinations: { d: { address: "http://d.test" } } } },
      },
      { trustedProxies: trusted ? ["192.0.2.7"] : [] },
    );
    const { response } = await send(request);
    return [response.status, response.header("Location"), clients[0]?.calls.length ?? 0];
  }

  it("keeps host, path and query, and asks nothing of the destination", async () => {
    expect(await answerOf({}, { target: "/a%2Fb?c=%20", authority: "site.test:8080" })).toEqual([307, "https://site.test/a%2Fb?c=%20", 0]);
    expect(await answerOf({ Host: "public.test", Port: "8443" }, { target: "/" })).toEqual([307, "https://public.test:8443/", 0]);
    expect(await answerOf({}, { authority: "[::1]:80" })).toEqual([307, "https://[::1]/", 0]);
    expect(await answerOf({}, { authority: "" })).toEqual([400, undefined, 0]);
  });

  it("lets https pass, and what a trusted proxy says came by https", async () => {
    const told: FakeRequest = { headers: [["X-Forwarded-Proto", "http, https"]] };
    expect(await answerOf({}, { scheme: "https" })).toEqual([200, undefined, 1]);
    expect(await answerOf({}, told, true)).toEqual([200, undefined, 1]);
    expect((await answerOf({}, told))[0]).toBe(307);
    expect((await answerOf({}, { scheme: "https", headers: [["X-Forwarded-Proto", "http"]] }, true))[0]).toBe(307);
    expect((await answerOf({}, { headers: [["Forwarded", "proto=https"]] }, true))[0]).toBe(200);
  });

  it("is checked at load", () => {
    for (const wrong of [{ RedirectToHttps: "200" }, { RedirectToHttps: "308", Host: "a:1" }, { RedirectToHttps: "308", Port: "70000" }]) {
      expect(faultsOf(wrong as Record<string, string>)).toEqual(["bad-redirect"]);
    }
  });
});

describe("what untrusted peers say of forwarding", () => {
  it("does not come back by allow lists or by appending (D15)", async () => {
    const { headers } = await sendThrough({
      transforms: [
        { RequestHeadersAllowed: "X-Forwarded-For;Forwarded;X-Mine" },
        { "X-Forwarded": "Append", Host: "Off", Proto: "Off", Prefix: "Off" },
      ],
      request: { headers: [["X-Forwarded-For", "6.6.6.6"], ["Forwarded", "for=6.6.6.6"], ["X-Mine", "1"]] },
      options: { trustedProxies: [] },
    });
    expect([valuesOf(headers, "X-Forwarded-For"), valuesOf(headers, "Forwarded"), valuesOf(headers, "X-Mine")]).toEqual([["192.0.2.7"], null, ["1"]]);
    const bare = await sendThrough({
      transforms: [{ RequestHeadersCopy: "false" }, { RequestHeader: "X-Forwarded-For", Append: "own" }, { "X-Forwarded": "Off" }],
      request: { headers: [["X-Forwarded-For", "6.6.6.6"]] },
      options: { trustedProxies: [] },
    });
    expect(valuesOf(bare.headers, "X-Forwarded-For")).toEqual(["own"]);
  });
});

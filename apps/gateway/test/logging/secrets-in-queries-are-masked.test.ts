import type { AuthenticationSchemeConfig, ProxyConfig } from "@proxy/config";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MaskedParameters } from "../../src/access-log/masked-parameters.ts";

const config = (...authentication: AuthenticationSchemeConfig[]): ProxyConfig => ({ routes: [], clusters: [], policies: { authentication }, revisionId: "1" });

const masked = new MaskedParameters(["sig", "schlüssel", "100%25"]);
masked.add(config(
  { name: "partners", apiKey: { query: "api_key" } },
  { name: "Login", openIdConnect: {} },
  { name: "other", wsFederation: { callbackPath: "/back" } },
));
const inTarget = (target: string): string => masked.inTarget(target, target.split("?", 1)[0] as string);

describe("the value of a parameter is written as ***", () => {
  test.each([
    ["/a?api_key=1", "/a?api_key=***"],
    ["/a?x=1&api_key=1=2&y=%2", "/a?x=1&api_key=***&y=%2"],
    ["/a?api%5Fkey=1&%61pi%5fke%79=2", "/a?api%5Fkey=***&%61pi%5fke%79=***"],
    ["/a?API_KEY=1", "/a?API_KEY=***"],
    ["/a?&&api_key=&api_key", "/a?&&api_key=***&api_key"],
    ["/a?sig=1", "/a?sig=***"],
    ["/a?schl%C3%BCssel=1", "/a?schl%C3%BCssel=***"],
    ["/a?100%25=1&100%2525=2", "/a?100%25=***&100%2525=***"],
    ["/a?access_token=1&b&id_token_hint=2&SAMLResponse=3&wresult=4", "/a?access_token=***&b&id_token_hint=***&SAMLResponse=***&wresult=***"],
    ["/signin-login?code=1&state=2&iss=3", "/signin-login?code=***&state=***&iss=3"],
    ["/back?wctx=1", "/back?wctx=***"],
    ["/login?returnUrl=%2Fa%3Fapi_key%3D1&x=2", "/login?returnUrl=%2Fa%3F***&x=2"],
    ["/login?ReturnUrl=/a?api_key=1", "/login?ReturnUrl=/a?***"],
    ["http://shop.test/a?api_key=1", "http://shop.test/a?api_key=***"],
  ])("%s", (target, written) => {
    expect(inTarget(target)).toBe(written);
  });

  test("in the URL of the page that a request comes from", () => {
    expect(masked.inUrl("https://shop.test/a?api_key=1&b=2")).toBe("https://shop.test/a?api_key=***&b=2");
    expect(masked.inUrl("https://shop.test/signin-login?code=1")).toBe("https://shop.test/signin-login?code=***");
    expect(masked.inUrl("https://shop.test?code=1")).toBe("https://shop.test?code=1");
    expect(masked.inUrl("/signin-login?code=1")).toBe("/signin-login?code=***");
  });
});

describe("everything else keeps its bytes", () => {
  test.each(["/", "*", "shop.test:443", "/api_key=1", "/a?", "/a?api_key", "/a?api_keys=1", "/a?xapi_key=1", "/a?x=api_key=1", "/a?code=DE&state=open", "/login?returnUrl=%2Fa", "/a?%=1&%zz=2&%"])("%s", (target) => {
    expect(inTarget(target)).toBe(target);
  });

  test("whatever stands beside a key", () => {
    const piece = fc.string({ unit: fc.constantFrom("a", "k", "=", "%", "+", "?", "/", "5", "F", "_", "\xe9", "key", "%5F") });
    fc.assert(
      fc.property(fc.array(piece), fc.array(piece), fc.string({ unit: fc.constantFrom("s", "=", "%", "?") }), (before, after, key) => {
        const around = (value: string): string => `/p?${[...before, `api_key=${value}`, ...after].join("&")}`;
        expect(inTarget(around(key))).toBe(around("***"));
      }),
    );
  });
});

test("what a changed configuration no longer has stays masked beside what it has", () => {
  const changing = new MaskedParameters();
  changing.add(config({ name: "a", apiKey: { query: "one" } }));
  expect(changing.inTarget("/?one=1&two=2", "/")).toBe("/?one=***&two=2");
  changing.add(config({ name: "a", apiKey: { query: "two" } }));
  expect(changing.inTarget("/?one=1&two=2", "/")).toBe("/?one=***&two=***");
});

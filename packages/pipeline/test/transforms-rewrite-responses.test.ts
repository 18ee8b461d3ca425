import { describe, expect, it } from "vitest";
import type { RouteConfig } from "@proxy/config";
import type { FakeRequest } from "./support/fake-exchange.ts";
import { sendThrough, valuesOf } from "./support/transform-cases.ts";

type Transforms = NonNullable<RouteConfig["transforms"]>;
type Lines = readonly (readonly [string, string])[];

async function received(transforms: Transforms, headers: Lines, name: string, request: FakeRequest = {}): Promise<string[] | null> {
  const { exchange } = await sendThrough({
    transforms,
    request,
    address: "http://d.test:8080/base",
    host: "named.test",
    script: (call) => call.respond(302, headers),
  });
  return valuesOf(exchange.response.head?.headers, name);
}

describe("ResponseLocation", () => {
  const to = (base: string, from?: string): Transforms => [{ ResponseLocation: base, ...(from === undefined ? {} : { From: from }) }];

  it.each<[title: string, transforms: Transforms, came: string, goes: string]>([
    ["an absolute address of the destination", to("/shop"), "http://d.test:8080/base/x?a=1#f", "/shop/x?a=1#f"],
    ["letter case and scheme aside", to("/shop"), "HTTPS://D.test:8080/base", "/shop"],
    ["the destination's own Host", to("/shop"), "http://named.test:80/base/x", "/shop/x"],
    ["a path below its base", to("/shop"), "/base/x", "/shop/x"],
    ["a path besides its base stays", to("/shop"), "/basement/x", "/basement/x"],
    ["another site stays", to("/shop"), "https://else.test/base/x", "https://else.test/base/x"],
    ["a name that only begins alike stays", to("/shop"), "http://d.test:8080.else.test/base/x", "http://d.test:8080.else.test/base/x"],
    ["a relative reference stays", to("/shop"), "x/y", "x/y"],
    ["a reference to another host stays", to("/shop"), "//else.test/x", "//else.test/x"],
    ["the root as base makes no other site", to("/"), "http://d.test:8080/base//else.test", "/else.test"],
    ["nor what browsers take for a slash", to("/"), "/base/\\else.test", "/else.test"],
    ["nor what browsers skip", to("/"), "/base/\t/\\else.test", "/else.test"],
    ["an absolute base", to("https://public.test/shop/"), "/base/x", "https://public.test/shop/x"],
    ["a base of the destination that is told", to("/shop", "http://inner.test/app"), "http://inner.test/app/x", "/shop/x"],
    ["the client's host where it is not sent stays", to("/shop"), "http://gateway.test/base/x", "http://gateway.test/base/x"],
    [
      "the client's host where it is sent",
      [{ RequestHeaderOriginalHost: "true" }, ...to("/shop")],
      "http://gateway.test/base/x",
      "/shop/x",
    ],
  ])("%s", async (_title, transforms, came, goes) => {
    expect(await received(transforms, [["Location", came], ["Content-Location", came]], "Location")).toEqual([goes]);
    expect(await received(transforms, [["Content-Location", came]], "Content-Location")).toEqual([goes]);
  });
});

describe("ResponseCookie", () => {
  it.each<[change: Record<string, string>, came: string, goes: string]>([
    [{ Domain: "public.test" }, "a=1; Domain=inner; Path=/", "a=1; Path=/; Domain=public.test"],
    [{ Domain: "" }, "a=1; domain=inner;HttpOnly", "a=1;HttpOnly"],
    [{ Path: "/shop" }, "a=1", "a=1; Path=/shop"],
    [{ Path: "/shop", FromPath: "/base" }, "a=1; Path=/base/x", "a=1; Path=/shop/x"],
    [{ Path: "/shop", FromPath: "/base/" }, "a=1; Path=/base", "a=1; Path=/shop"],
    [{ Path: "/shop", FromPath: "/base" }, "a=1; Path=/basement", "a=1; Path=/basement"],
    [{ Path: "/shop", FromPath: "/base" }, "a=1", "a=1"],
    [{ Path: "/", FromPath: "/base" }, "a=1; Path=/base", "a=1; Path=/"],
    [{ Secure: "true", HttpOnly: "false", SameSite: "strict" }, 'a="x y"; httponly; secure', 'a="x y"; SameSite=Strict; Secure'],
    [{ Domain: "public.test", Path: "/x", SameSite: "Lax" }, "__Host-a=1; Path=/; Secure", "__Host-a=1; Path=/; Secure; SameSite=Lax"],
    [{ Secure: "false" }, "__Host-a=1; Path=/; Secure", "__Host-a=1; Path=/; Secure"],
    [{ Secure: "false", HttpOnly: "true" }, "__secure-a=1; Secure", "__secure-a=1; Secure; HttpOnly"],
  ])("%j", async (change, came, goes) => {
    expect(await received([{ ResponseCookie: "*", ...change }], [["Set-Cookie", came]], "Set-Cookie")).toEqual([goes]);
  });

  it("changes the cookies of its name only, each line for itself", async () => {
    const lines: Lines = [["Set-Cookie", "a=1"], ["Set-Cookie", "ab=1"], ["set-cookie", "a=2; Path=/"]];
    const goes = ["a=1; Secure", "ab=1", "a=2; Path=/; Secure"];
    expect(await received([{ ResponseCookie: "a", Secure: "true" }], lines, "Set-Cookie")).toEqual(goes);
  });
});

describe("SecurityHeaders", () => {
  const names = ["Strict-Transport-Security", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy"];

  async function sent(settings: Record<string, string>, request: FakeRequest = {}): Promise<(string | undefined)[]> {
    const own: Lines = [["X-Frame-Options", "ALLOWALL"]];
    return Promise.all(names.map(async (name) => (await received([{ SecurityHeaders: "Default", ...settings }], own, name, request))?.join("|")));
  }

  it("come over https with HSTS, and without it in clear text", async () => {
    expect(await sent({}, { scheme: "https" })).toEqual(["max-age=31536000", "ALLOWALL", "strict-origin-when-cross-origin", undefined]);
    expect(await sent({})).toEqual([undefined, "ALLOWALL", "strict-origin-when-cross-origin", undefined]);
    // By https as far as a trusted proxy, which is who sends these requests.
    expect((await sent({}, { headers: [["X-Forwarded-Proto", "https"]] }))[0]).toBe("max-age=31536000");
    expect((await sent({}, { scheme: "https", headers: [["X-Forwarded-Proto", "http"]] }))[0]).toBeUndefined();
  });

  it("replace the destination's, change and leave out as asked", async () => {
    const own = { Override: "true", "Referrer-Policy": "", "Content-Security-Policy": "default-src 'none'" };
    expect(await sent(own)).toEqual([undefined, "SAMEORIGIN", undefined, "default-src 'none'"]);
    expect((await sent({ SecurityHeaders: "Strict", Override: "true" }))[1]).toBe("DENY");
  });
});

import { describe, expect, it } from "vitest";
import type { RouteConfig } from "@proxy/config";
import type { ReverseProxyOptions } from "@proxy/pipeline";
import type { FakeCall } from "./support/fake-client.ts";
import type { FakeExchange, FakeRequest } from "./support/fake-exchange.ts";
import { testProxy } from "./support/proxies.ts";

type Transforms = NonNullable<RouteConfig["transforms"]>;

interface Result {
  readonly call: FakeCall;
  readonly response: FakeExchange["response"];
  /** What the destination got of a field. */
  readonly sent: (name: string) => string[];
}

interface Setting {
  readonly request?: FakeRequest;
  readonly path?: string;
  readonly host?: string;
  readonly script?: (call: FakeCall) => void;
  readonly options?: Partial<ReverseProxyOptions>;
}

async function transformed(transforms: Transforms, setting: Setting = {}): Promise<Result> {
  const { send, clients } = await testProxy(
    {
      routes: { r: { clusterId: "c", match: { path: setting.path ?? "/{**rest}" }, transforms } },
      clusters: { c: { destinations: { d: { address: "http://d.test/base", host: setting.host } } } },
    },
    { script: setting.script, ...setting.options },
  );
  const { response } = await send(setting.request);
  const call = clients[0]?.last;
  if (call === undefined) throw new Error("nothing was sent");
  return { call, response, sent: (name) => call.request.headers.getAll(name.toLowerCase()) };
}

async function targetOf(transforms: Transforms, target: string, path?: string): Promise<string> {
  const { call } = await transformed(transforms, { request: { target }, ...(path === undefined ? {} : { path }) });
  return call.request.target;
}

describe("path transforms", () => {
  it.each<[title: string, transforms: Transforms, target: string, sent: string]>([
    ["PathPrefix goes in front", [{ PathPrefix: "/v" }], "/foo", "/base/v/foo"],
    ["PathPrefix gets its slash", [{ PathPrefix: "v" }], "/foo", "/base/v/foo"],
    ["PathRemovePrefix takes whole segments, whatever their case", [{ PathRemovePrefix: "/Api" }], "/aPI/x", "/base/x"],
    ["PathRemovePrefix may leave nothing", [{ PathRemovePrefix: "/api" }], "/api", "/base"],
    ["PathRemovePrefix leaves part of a segment alone", [{ PathRemovePrefix: "/api" }], "/apis/x", "/base/apis/x"],
    ["PathRemovePrefix knows an encoded prefix", [{ PathRemovePrefix: "/é" }], "/%C3%A9/x%2Fy", "/base/x%2Fy"],
    ["PathRemovePrefix takes an encoded slash for none", [{ PathRemovePrefix: "/a" }], "/a%2Fb", "/base/a%2Fb"],
    ["PathSet replaces and keeps the query", [{ PathSet: "/new path#1" }], "/old?q=1", "/base/new%20path%231?q=1"],
    ["what stays keeps its encoding", [{ PathPrefix: "/p" }], "/a%2Fb%41?x=%2f", "/base/p/a%2Fb%41?x=%2f"],
    ["they run in order", [{ PathRemovePrefix: "/a" }, { PathPrefix: "/b" }], "/a/c", "/base/b/c"],
  ])("%s", async (_title, transforms, target, sent) => {
    expect(await targetOf(transforms, target)).toBe(sent);
  });

  it("PathRemovePrefix that leaves nothing asks for the root, query kept", async () => {
    const { send, clients } = await testProxy({
      routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, transforms: [{ PathRemovePrefix: "/api" }] } },
      clusters: { c: { destinations: { d: { address: "http://d.test" } } } },
    });
    await send({ target: "/api?x=1" });
    expect(clients[0]?.last.request.target).toBe("/?x=1");
    await send({ target: "/api" });
    expect(clients[0]?.last.request.target).toBe("/");
  });

  it("PathPattern fills a template from route values, encodings kept", async () => {
    const transforms = [{ PathPattern: "/x/{b}/{a}/{**rest}" }];
    expect(await targetOf(transforms, "/1/2%2F/3/%20", "/{a}/{b}/{**rest}")).toBe("/base/x/2%2F/1/3/%20");
    expect(await targetOf(transforms, "/1/2", "/{a}/{b}/{**rest}")).toBe("/base/x/2/1");
  });
});

describe("PathPattern", () => {
  it("does not let a route value lead out of the pattern", async () => {
    const { send, clients } = await testProxy({
      routes: { r: { clusterId: "c", match: { path: "/{a}-{b}" }, transforms: [{ PathPattern: "/public/{a}/{b}" }] } },
      clusters: { c: { destinations: { d: { address: "http://d.test" } } } },
    });
    for (const target of ["/..-secret", "/%2e%2E-secret", "/.-secret"]) {
      expect((await send({ target })).response.status).toBe(502);
    }
    expect(clients[0]?.calls).toEqual([]);
    expect((await send({ target: "/..x-y" })).response.status).toBe(200);
    expect(clients[0]?.last.request.target).toBe("/public/..x/y");
  });
});

describe("query transforms", () => {
  it.each<[title: string, transforms: Transforms, query: string, sent: string]>([
    ["Set adds", [{ QueryValueParameter: "z", Set: "a b/c" }], "", "?z=a%20b%2Fc"],
    ["Set replaces all of that name in place of the first", [{ QueryValueParameter: "Z", Set: "2" }], "?z=1&a=%2f&z=3", "?z=2&a=%2f"],
    ["Append adds one more", [{ QueryValueParameter: "z", Append: "" }], "?z=foo", "?z=foo&z="],
    ["remove takes all of that name", [{ QueryRemoveParameter: "Z" }], "?z=1&a=2&%7A=3", "?a=2"],
    ["remove may leave nothing", [{ QueryRemoveParameter: "z" }], "?z", ""],
  ])("%s", async (_title, transforms, query, sent) => {
    expect(await targetOf(transforms, `/p${query}`)).toBe(`/base/p${sent}`);
  });
});

describe("request header transforms", () => {
  const request: FakeRequest = { headers: [["X-A", "1"], ["x-a", "2"], ["Other", "o"]] };

  it("set, append to and remove fields", async () => {
    expect((await transformed([{ RequestHeader: "X-A", Set: "new,value" }], { request })).sent("X-A")).toEqual(["new,value"]);
    expect((await transformed([{ RequestHeader: "X-A", Append: "3" }], { request })).sent("X-A")).toEqual(["1", "2", "3"]);
    expect((await transformed([{ RequestHeaderRemove: "x-A" }], { request })).sent("X-A")).toEqual([]);
  });

  it("stop the copying, and append to what the client sent all the same", async () => {
    const { sent } = await transformed([{ RequestHeadersCopy: "False" }, { RequestHeader: "X-A", Append: "3" }], { request });
    expect([sent("X-A"), sent("Other"), sent("Host")]).toEqual([["1", "2", "3"], [], ["d.test"]]);
  });

  it("leave the request itself as it came", async () => {
    let seen: string[] = [];
    await transformed([{ RequestHeaderRemove: "X-A" }], {
      request,
      options: {
        steps: (steps) => [
          {
            name: "watch",
            async run(ctx, next) {
              await next(ctx);
              seen = ctx.exchange.request.headers.getAll("x-a");
            },
          },
          ...steps,
        ],
      },
    });
    expect(seen).toEqual(["1", "2"]);
  });

  it("change the method", async () => {
    const { call } = await transformed([{ HttpMethodChange: "put", Set: "post" }], { request: { method: "PUT" } });
    expect(call.request.method).toBe("POST");
  });
});

describe("Host", () => {
  it.each<[title: string, transforms: Transforms, host: string | undefined, sent: string]>([
    ["is the destination's address", [], undefined, "d.test"],
    ["is the destination's own setting", [], "own.test", "own.test"],
    ["is the destination's own setting beside transforms", [{ PathPrefix: "/x" }], "own.test", "own.test"],
    ["is the destination's without copying", [{ RequestHeadersCopy: "false" }], "own.test", "own.test"],
    ["is the client's when asked for", [{ RequestHeaderOriginalHost: "true" }], "own.test", "gateway.test"],
    [
      "is the client's when asked for without copying",
      [{ RequestHeaderOriginalHost: "true" }, { RequestHeadersCopy: "false" }],
      undefined,
      "gateway.test",
    ],
    ["is what another transform set, be it the client's", [{ RequestHeader: "Host", Set: "gateway.test" }], "own.test", "gateway.test"],
    ["is the destination's, whatever list allows the client's", [{ RequestHeadersAllowed: "Host" }], "own.test", "own.test"],
    ["is what another transform set", [{ RequestHeader: "Host", Set: "mine.test" }], "own.test", "mine.test"],
  ])("%s", async (_title, transforms, host, sent) => {
    const result = await transformed(transforms, host === undefined ? {} : { host });
    expect(result.sent("Host")).toEqual([sent]);
  });
});

describe("forwarding fields", () => {
  const request: FakeRequest = {
    remoteAddress: "192.0.2.9",
    headers: [
      ["X-Forwarded-For", "6.6.6.6"],
      ["X-Forwarded-Host", "evil.test"],
      ["X-Forwarded-Prefix", "/evil"],
      ["X-Forwarded-User", "root"],
      ["Forwarded", "for=6.6.6.6"],
    ],
  };
  const family = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded-User", "Forwarded"];

  async function sentOf(transforms: Transforms, options: Partial<ReverseProxyOptions> = {}): Promise<string[][]> {
    const { sent } = await transformed(transforms, { request, options });
    return family.map(sent);
  }

  it("are set anew, and nothing that a client made up passes (D15)", async () => {
    const anew = [["192.0.2.9"], ["gateway.test"], ["http"], [], [], []];
    expect(await sentOf([])).toEqual(anew);
    expect(await sentOf([{ PathPrefix: "/x" }])).toEqual(anew);
    expect(await sentOf([{ "X-Forwarded": "Append" }])).toEqual(anew);
    expect(await sentOf([{ "X-Forwarded": "Off" }])).toEqual([[], [], [], [], [], []]);
    expect(await sentOf([{ "X-Forwarded": "Remove", For: "Set" }])).toEqual([["192.0.2.9"], [], [], [], [], []]);
  });

  it("are believed of trusted peers only", async () => {
    const trusted = { trustedProxies: ["192.0.2.0/24", "::1"] };
    const appended = [
      ["6.6.6.6", "192.0.2.9"],
      ["evil.test", "gateway.test"],
      ["http"],
      ["/evil"],
      ["root"],
      [],
    ];
    expect(await sentOf([{ "X-Forwarded": "Append" }], trusted)).toEqual(appended);
    expect((await sentOf([{ "X-Forwarded": "Off" }], trusted)).at(-1)).toEqual(["for=6.6.6.6"]);
    expect(await sentOf([], trusted)).toEqual([["6.6.6.6"], ["gateway.test"], ["http"], [], ["root"], []]);
    expect((await sentOf([{ "X-Forwarded": "Append" }], { trustedProxies: ["198.51.100.1"] }))[0]).toEqual(["192.0.2.9"]);
  });

  it("pass in no other spelling, which CGI and its heirs read as theirs, not even through peers that are trusted", async () => {
    const spelled = ["X_Forwarded_For", "x-forwarded_for", "X.Forwarded-Proto", "X-Forwarded_Port", "X~Forwarded~Client-Cert", "X-Forwarded-Client_Cert", "X_Edge-For", "X_Real_IP", "X-Client_Cert"];
    const others = ["X_Forward_For", "XForwarded_For", "X_ForwardedFor", "Y_Forwarded_For", "X_Forwarded", "X_Real_IPs", "My_Field"];
    const asked: FakeRequest = { remoteAddress: "192.0.2.9", headers: [...spelled, ...others].map((name) => [name, "6.6.6.6"] as const) };
    const configured: Transforms = [{ "X-Forwarded": "Set" }, { "X-Forwarded": "Set", HeaderPrefix: "X-Edge-" }, { ClientAddress: "X-Real-IP" }, { ClientCert: "X-Client-Cert" }];
    for (const options of [{}, { trustedProxies: ["192.0.2.0/24"] }]) {
      const { sent } = await transformed(configured, { request: asked, options });
      expect(spelled.filter((name) => sent(name).length > 0)).toEqual([]);
      expect(others.filter((name) => sent(name).length === 0)).toEqual([]);
      expect([sent("X-Forwarded-For"), sent("X-Edge-For"), sent("X-Real-IP")]).toEqual([["192.0.2.9"], ["192.0.2.9"], ["192.0.2.9"]]);
      const plain = await transformed([], { request: asked, options });
      expect(spelled.slice(0, 6).filter((name) => plain.sent(name).length > 0)).toEqual([]);
    }
  });

  it("may have another prefix", async () => {
    const { sent } = await transformed([{ "X-Forwarded": "Set", HeaderPrefix: "X-Edge-" }], { request });
    expect(sent("X-Edge-For")).toEqual(["192.0.2.9"]);
    expect(sent("X-Forwarded-For")).toEqual([]);
  });

  it.each<[title: string, headers: NonNullable<FakeRequest["headers"]>, scheme: string]>([
    ["as X-Forwarded-Proto says", [["X-Forwarded-Proto", "HTTPS"]], "https"],
    ["as the peer itself says, last", [["X-Forwarded-Proto", "https"], ["X-Forwarded-Proto", "https, http"]], "http"],
    ["as Forwarded says", [["Forwarded", 'for=1.2.3.4;proto=http, for="[::1]";Proto="https"']], "https"],
    ["as both say", [["X-Forwarded-Proto", "https"], ["Forwarded", "proto=https"]], "https"],
    ["not where the two disagree", [["X-Forwarded-Proto", "https"], ["Forwarded", "proto=http"]], "http"],
    ["not where it is none", [["X-Forwarded-Proto", "gopher"]], "http"],
  ])("tell the scheme of the first connection %s", async (_, headers, scheme) => {
    const of = async (transforms: Transforms, trustedProxies: readonly string[]): Promise<readonly string[]> => {
      const { sent } = await transformed(transforms, { request: { remoteAddress: "192.0.2.9", headers }, options: { trustedProxies } });
      return [...sent("X-Forwarded-Proto"), ...sent("Forwarded")];
    };
    expect(await of([], ["192.0.2.9"])).toEqual([scheme]);
    expect(await of([{ Forwarded: "proto" }], ["192.0.2.9"])).toEqual([`proto=${scheme}`]);
    expect(await of([], ["192.0.2.8"])).toEqual(["http"]);
    // Appended is what the peer's own connection was.
    expect((await of([{ "X-Forwarded": "Append" }], ["192.0.2.9"])).at(-1)).toBe("http");
  });

  it("refuse a trusted peer that is no address", async () => {
    for (const wrong of ["10.0.0.0/8/9", "host.test", "10.0.0.0/x", "10.0.0.0/64", "fe80::1%eth0"]) {
      await expect(testProxy({}, { trustedProxies: [wrong] })).rejects.toThrow(`'${wrong}' is neither`);
    }
  });
});

describe("response header transforms", () => {
  const status = (code: number) => (call: FakeCall) => call.respond(code, [["X-A", "1"]]);
  const set = (when?: string): Transforms => [{ ResponseHeader: "X-B", Set: "b", ...(when === undefined ? {} : { When: when }) }];

  it.each<[when: string | undefined, status: number, applies: boolean]>([
    [undefined, 200, true],
    [undefined, 404, false],
    ["success", 399, true],
    ["Failure", 200, false],
    ["Failure", 500, true],
    ["Always", 500, true],
  ])("with When %s on %i: %s", async (when, code, applies) => {
    const { response } = await transformed(set(when), { script: status(code) });
    expect(response.header("X-B")).toBe(applies ? "b" : undefined);
  });

  it("see the gateway's own answer as a failure", async () => {
    const script = (call: FakeCall): void => call.fail();
    expect((await transformed(set("Failure"), { script })).response.header("X-B")).toBe("b");
    expect((await transformed(set(), { script })).response.header("X-B")).toBeUndefined();
  });

  it("append and remove", async () => {
    const { response } = await transformed([{ ResponseHeader: "X-A", Append: "2" }], { script: status(200) });
    expect(response.head?.headers.getAll("x-a")).toEqual(["1", "2"]);
    const removed = await transformed([{ ResponseHeaderRemove: "X-A" }], { script: status(200) });
    expect(removed.response.header("X-A")).toBeUndefined();
  });
});

describe("a transform of the application", () => {
  it("is configured like a built-in one, and may wait", async () => {
    const options: Partial<ReverseProxyOptions> = {
      transforms: [
        {
          key: "Tenant",
          build(settings, plan) {
            const name = settings.value;
            plan.request.push(async (outgoing, ctx) => {
              await Promise.resolve();
              outgoing.headers.set(name, ctx.routeValues.get("tenant") ?? "none");
            });
          },
        },
      ],
    };
    const { sent } = await transformed([{ tenant: "X-Tenant" }, { RequestHeader: "X-After", Set: "1" }], {
      path: "/{tenant}/{**rest}",
      request: { target: "/acme/x" },
      options,
    });
    expect([sent("X-Tenant"), sent("X-After")]).toEqual([["acme"], ["1"]]);
  });

  it("cannot take the key of another", async () => {
    await expect(testProxy({}, { transforms: [{ key: "pathSET", build: () => {} }] })).rejects.toThrow("duplicate transform 'pathSET'");
  });
});

describe("PathRegex", () => {
  it.each<[title: string, expression: string, replace: string, target: string, sent: string]>([
    ["keeps the encoding of groups and of the rest", "^/(.*)/b", "/$1/c", "/%C3%A9%2F%20/b/%41?q=%2f", "/base/%C3%A9%2F%20/c/%41?q=%2f"],
    ["counts characters as the path does", "b", "c", "/%F0%9D%84%9Eb%F0%9D%84%9E", "/base/%F0%9D%84%9Ec%F0%9D%84%9E"],
    ["replaces the first match only", "a", "x", "/aa", "/base/xa"],
    ["leaves a path that does not match", "^/z", "/y", "/a%2fb", "/base/a%2fb"],
    ["encodes what it puts in", "^/a$", "/ä $$", "/a", "/base/%C3%A4%20$"],
    ["has the whole match and groups that did not take part", "^/(a)?(b)", "$0-$1-$2", "/b", "/base/b--b"],
    ["gives a slash where none is left", "^/a", "", "/ab", "/base/b"],
  ])("%s", async (_title, expression, replace, target, sent) => {
    expect(await targetOf([{ PathRegex: expression, Replace: replace }], target)).toBe(sent);
  });

  it("does not let a group lead out of the replacement", async () => {
    const { send, clients } = await testProxy({
      routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, transforms: [{ PathRegex: "^/x-(.*)", Replace: "/public/$1" }] } },
      clusters: { c: { destinations: { d: { address: "http://d.test" } } } },
    });
    expect((await send({ target: "/x-../secret" })).response.status).toBe(502);
    expect(clients[0]?.calls).toEqual([]);
  });
});

describe("values of the route", () => {
  it("go into fields as the bytes that the path had encoded, or the request is refused", async () => {
    const transforms = [{ RequestHeaderRouteValue: "X-Id", Set: "id" }];
    const setting = (id: string): Setting => ({ path: "/{id}", request: { target: `/${id}`, headers: [["X-Id", "forged"]] } });
    expect((await transformed(transforms, setting("%E6%9C%AC%2Fa"))).sent("X-Id")).toEqual(["\xe6\x9c\xac%2Fa"]);
    const { send, clients } = await testProxy({
      routes: { r: { clusterId: "c", match: { path: "/{id}" }, transforms } },
      clusters: { c: { destinations: { d: { address: "http://d.test" } } } },
    });
    expect((await send({ target: "/a%0D%0Ab" })).response.status).toBe(400);
    expect(clients[0]?.calls).toEqual([]);
  });

  it("go into the query wholly decoded and encoded anew", async () => {
    expect(await targetOf([{ QueryRouteParameter: "id", Set: "id" }], "/a%2Fb%26c?ID=1", "/{id}")).toBe("/base/a%2Fb%26c?ID=a%2Fb%26c");
  });
});

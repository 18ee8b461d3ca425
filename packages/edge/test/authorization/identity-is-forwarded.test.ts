import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuthorizationPolicyConfig, RouteConfig } from "@proxy/config";
import { HeaderList, isHeaderValue, type BodySink, type BodySource } from "@proxy/http";
import type { EdgePoliciesOptions } from "../../src/index.ts";
import { fieldValue } from "../../src/identity/identity-fields.ts";
import { testScheme } from "../authentication/test-scheme.ts";
import { edgeProxy } from "../proxies.ts";

type Forward = AuthorizationPolicyConfig["forward"];
type Headers = readonly (readonly [string, string])[];

/** Routes `/private` with a policy that forwards, `/public` without any; gives the head that the destination sees. */
async function forwarding(forward: Forward, edge: EdgePoliciesOptions = {}, route: Partial<RouteConfig> = {}) {
  const { send, clients } = await edgeProxy(
    {
      routes: {
        private: { clusterId: "c", match: { path: "/private" }, authorizationPolicy: "p", ...route },
        public: { clusterId: "c", match: { path: "/public" } },
        anonymous: { clusterId: "c", match: { path: "/anonymous" }, authorizationPolicy: "Anonymous" },
      },
      clusters: { c: { destinations: { d: { address: "http://d.test/" } } } },
      policies: { authorization: { p: { forward } } },
    },
    { schemes: [testScheme("a")], ...edge },
  );
  return {
    async seen(target: string, headers: Headers, body?: BodySource): Promise<HeaderList> {
      await send({ target, headers, ...(body === undefined ? {} : { body, method: "POST" }) });
      return clients[0]?.calls.at(-1)?.request.headers ?? new HeaderList();
    },
    send,
    clients,
  };
}

const spoofs: Headers = [["X-User", "root"], ["x-USER", "root"], ["X_User", "root"], ["x_user", "root"], ["X.User", "root"], ["x!user", "root"], ["X-User-Name", "kept"], ["X-Use", "kept"], ["XxUser", "kept"]];

describe("claims in fields", () => {
  const forward: Forward = { headers: { "X-User": "@name", "X-Roles": "role", "X-Via": "@scheme", "X-Mail": "email" } };

  it("are written by their mapping, several values in one, and left out where there are none", async () => {
    const { seen } = await forwarding(forward);
    const headers = await seen("/private", [["X-A", "ann;role=a;role=b"]]);
    expect([headers.getAll("x-user"), headers.get("x-roles"), headers.get("x-via"), headers.has("x-mail")]).toEqual([["ann"], "a,b", "a", false]);
  });

  it("are never a client's, on no route, in no spelling that an application reads as the same", async () => {
    const { seen } = await forwarding(forward);
    for (const [target, users] of [["/private", ["ann"]], ["/public", []], ["/anonymous", []]] as const) {
      const headers = await seen(target, [["X-A", "ann"], ...spoofs, ["X-Mail", "root@example"]]);
      expect(headers.getAll("x-user")).toEqual(users);
      expect(headers.toRaw().filter((text) => text === "root")).toEqual([]);
      expect([headers.has("x_user"), headers.has("x.user"), headers.has("x!user"), headers.has("x-mail")]).toEqual([false, false, false, false]);
      expect([headers.get("x-user-name"), headers.get("x-use"), headers.get("xxuser")]).toEqual(["kept", "kept", "kept"]);
    }
  });

  it("are not taken away by a client that names them in Connection", async () => {
    const { seen } = await forwarding({ ...forward, token: "Forward" });
    for (const named of [["x-user, x-roles, authorization"], ["close, X-USER", "Keep-Alive,x-roles,,x-drop", "Authorization"]]) {
      const headers = await seen("/private", [["X-A", "ann;role=a"], ["X-Drop", "1"], ...named.map((value) => ["Connection", value] as const)]);
      expect([headers.getAll("x-user"), headers.get("x-roles"), headers.get("authorization")]).toEqual([["ann"], "a", "Bearer token-of-ann"]);
      expect(headers.has("x-drop")).toBe(!named.join().includes("x-drop"));
    }
  });

  it("are never a client's in trailers either", async () => {
    const { seen, clients } = await forwarding(forward);
    const trailers = HeaderList.from([["X-User", "root"], ["X_Roles", "admin"], ["X-Sum", "7"]]);
    for (const [target, length] of [["/private", undefined], ["/public", undefined]] as const) {
      await seen(target, [["X-A", "ann"]], trailing(trailers, length));
      const got = await readTrailers(clients[0]?.calls.at(-1)?.request.body);
      expect(got?.toRaw()).toEqual(["X-Sum", "7"]);
    }
  });

  it("leave requests alone that have none of them", async () => {
    const { seen } = await forwarding(undefined);
    const headers = await seen("/private", [["X-A", "ann"], ...spoofs]);
    expect([headers.getAll("x-user"), headers.get("x.user")]).toEqual([["root", "root"], "root"]);
  });

  it("cannot end a field, nor read as other values", () => {
    expect(fieldValue(["Doe, John"])).toBe("Doe%2C John");
    expect(fieldValue(["a\r\nX-Admin: 1"])).toBe("a%0D%0AX-Admin: 1");
    expect(fieldValue([" Jürgen ", "100%"])).toBe("%20J%C3%BCrgen%20,100%25");
    expect(fieldValue(["", ""])).toBe(undefined);
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.oneof(fc.integer({ min: 0, max: 0x10ffff }), fc.integer({ min: 0, max: 0x7f })).map((code) => String.fromCodePoint(code)), minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }), (values) => {
        const text = fieldValue(values) ?? "";
        const read = text.split(",").map(decodeURIComponent);
        return isHeaderValue(text) && text.trim() === text && read.length === values.length && read.every((value, index) => value === values[index]?.toWellFormed());
      }),
    );
  });
});

describe("what another service says of somebody", () => {
  it("reaches the destination, and is never a client's", async () => {
    const schemes = [testScheme("a", { forwardedFields: ["X-Auth-Mail"], identity: { fields: new Map([["X-Auth-Mail", ["ann@example"]]]) } })];
    const { seen } = await forwarding(undefined, { schemes });
    expect((await seen("/private", [["X-A", "ann"], ["X-Auth-Mail", "root"], ["X_Auth_Mail", "root"]])).getAll("x-auth-mail")).toEqual(["ann@example"]);
    expect((await seen("/public", [["X-Auth-Mail", "root"]])).has("x-auth-mail")).toBe(false);
  });
});

describe("the token", () => {
  const own: Headers = [["X-A", "ann"], ["Authorization", "Basic x"]];

  it("stays, goes, or is the identity's", async () => {
    const shown = async (token: "Keep" | "Remove" | "Forward", headers = own): Promise<string[]> => (await (await forwarding({ token })).seen("/private", headers)).getAll("authorization");
    expect(await shown("Keep")).toEqual(["Basic x"]);
    expect(await shown("Remove")).toEqual([]);
    expect(await shown("Forward")).toEqual(["Bearer token-of-ann"]);
  });

  it("of the client goes where the identity has none that could be forwarded", async () => {
    const { seen } = await forwarding({ token: "Forward" }, { schemes: [testScheme("a", { identity: { accessToken: "two words" } })] });
    expect((await seen("/private", own)).has("authorization")).toBe(false);
  });
});

describe("credentials", () => {
  const hides = (everywhere: boolean) =>
    testScheme("a", {
      hidesCredentialsEverywhere: everywhere,
      withoutCredentials(request) {
        if (!request.headers.has("x-a")) return request;
        const headers = request.headers.copy();
        headers.remove("x-a");
        return { ...request, headers };
      },
    });

  it("stay here where the scheme says so", async () => {
    const { seen } = await forwarding(undefined, { schemes: [hides(false)] });
    expect((await seen("/private", [["X-A", "ann"], ["X-B", "1"]])).toRaw()).not.toContain("X-A");
    expect((await seen("/public", [["X-A", "ann"]])).get("x-a")).toBe("ann");
  });

  it("that only the gateway understands stay here on every route", async () => {
    const { seen } = await forwarding(undefined, { schemes: [hides(true)] });
    for (const target of ["/private", "/public", "/anonymous"]) expect((await seen(target, [["X-A", "ann"]])).has("x-a")).toBe(false);
  });
});

function trailing(trailers: HeaderList, length: number | undefined): BodySource {
  return {
    length,
    started: false,
    read: (sink) => sink.onEnd(trailers),
    pause() {},
    resume() {},
    cancel() {},
  };
}

async function readTrailers(body: BodySource | undefined): Promise<HeaderList | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<HeaderList | undefined>();
  const sink: BodySink = { onData: () => true, onEnd: resolve, onError: reject };
  if (body === undefined) return undefined;
  body.read(sink);
  return promise;
}

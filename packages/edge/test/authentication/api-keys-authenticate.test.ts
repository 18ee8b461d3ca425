import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ApiKeyConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeClock } from "../../../pipeline/test/support/fake-clock.ts";
import { configOf, edgeProxy } from "../proxies.ts";

const hash = (key: string, encoding: "hex" | "base64url" = "hex"): string => createHash("sha256").update(key).digest(encoding);

const keys = {
  ci: { hash: hash("key-of-ci"), claims: { role: ["deployer"] } },
  shop: { hash: hash("key-of-shop", "base64url") },
  old: { hash: hash("key-of-old"), expires: "2026-01-02T00:00:00Z" },
};

async function guarded(apiKey: ApiKeyConfig = {}, forward: Record<string, string> = { "X-User": "@name", "X-Role": "role" }) {
  const clock = new FakeClock();
  const { send, clients } = await edgeProxy(
    configOf({ authentication: { key: { apiKey: { keys, ...apiKey } } }, authorization: { p: { forward: { headers: forward } } } }, { authorizationPolicy: "p" }),
    { clock },
  );
  return {
    clock,
    clients,
    async ask(headers: readonly (readonly [string, string])[] = [], target = "/") {
      const { response } = await send({ headers, target });
      return { response, seen: clients[0]?.calls.at(-1)?.request };
    },
  };
}

describe("an API key", () => {
  it("authenticates whoever has it, and stays here", async () => {
    const { ask } = await guarded();
    const { response, seen } = await ask([["X-Api-Key", "key-of-ci"]]);
    expect(response.status).toBe(200);
    expect([seen?.headers.get("x-user"), seen?.headers.get("x-role"), seen?.headers.get("x-api-key")]).toEqual(["ci", "deployer", undefined]);
    expect((await ask([["x-api-key", "key-of-shop"]])).seen?.headers.get("x-user")).toBe("shop");
  });

  it("that nobody has is refused, with a reason that repeats nothing", async () => {
    const { ask } = await guarded();
    for (const key of ["key-of-cI", hash("key-of-ci"), "k".repeat(1025), "constructor"]) {
      const { response } = await ask([["X-Api-Key", key]]);
      expect([response.status, response.header("WWW-Authenticate")]).toEqual([401, 'ApiKey realm="key", error="invalid_key", error_description="the API key is not known"']);
    }
    expect((await ask([["X-Api-Key", ""]])).response.header("WWW-Authenticate")).toBe('ApiKey realm="key"');
    expect((await ask()).response.header("WWW-Authenticate")).toBe('ApiKey realm="key"');
  });

  it("that stands twice is refused, wherever it stands", async () => {
    const { ask } = await guarded({ header: "X-Key", query: "key" });
    expect((await ask([["X-Key", "key-of-ci"], ["X-Key", "key-of-shop"]])).response.status).toBe(401);
    expect((await ask([["X-Key", "key-of-ci"]], "/?key=key-of-ci")).response.status).toBe(401);
    expect((await ask([], "/?key=key-of-ci&k%65y=key-of-shop")).response.status).toBe(401);
  });

  it("in the query is never forwarded, however it is written; the rest keeps its bytes", async () => {
    const { ask } = await guarded({ query: "key" });
    const target = async (query: string): Promise<string | undefined> => (await ask([], `/a${query}`)).seen?.target;
    expect(await target("?key=key-of-ci")).toBe("/a");
    expect(await target("?a=%2f+b&k%65y=key%2Dof-ci&c")).toBe("/a?a=%2f+b&c");
    expect(await target("?c=%zz&key=key-of-shop")).toBe("/a?c=%zz");
    // The header is not looked at where only the query is named.
    expect((await ask([["X-Api-Key", "key-of-ci"]])).response.status).toBe(401);
  });

  it("is forwarded where that is asked for", async () => {
    const { ask } = await guarded({ forwardKey: true });
    expect((await ask([["X-Api-Key", "key-of-ci"]])).seen?.headers.get("x-api-key")).toBe("key-of-ci");
  });

  it("is good until it expires", async () => {
    const { ask, clock } = await guarded();
    const left = Date.parse(keys.old.expires) - clock.date();
    clock.set(left - 1);
    expect((await ask([["X-Api-Key", "key-of-old"]])).response.status).toBe(200);
    clock.set(left);
    const later = await ask([["X-Api-Key", "key-of-old"]]);
    expect([later.response.status, later.response.header("WWW-Authenticate")]).toEqual([401, 'ApiKey realm="key", error="invalid_key", error_description="the API key has expired"']);
  });
});

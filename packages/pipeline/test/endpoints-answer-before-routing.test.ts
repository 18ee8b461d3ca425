import { describe, expect, it } from "vitest";
import { HeaderList, type ExchangeHandler } from "@proxy/http";
import type { ProxyExtension } from "@proxy/pipeline";
import { oneCluster, testProxy } from "./support/proxies.ts";

function extensionWith(endpoints: () => Readonly<Record<string, ExchangeHandler>>): ProxyExtension {
  return {
    name: "callbacks",
    policies: {},
    steps: (steps) => steps,
    prepare: () => ({ endpoints: new Map(Object.entries(endpoints())), commit() {}, discard() {} }),
  };
}

const answer: ExchangeHandler = (exchange) => exchange.response.send({ status: 204, headers: new HeaderList() });

describe("endpoints of an extension", () => {
  it("answer before any route does, at their exact path", async () => {
    const { send, clients } = await testProxy(oneCluster(["a"]), { extensions: [extensionWith(() => ({ "/callback": answer }))] });
    expect((await send({ target: "/callback" })).response.status).toBe(204);
    expect((await send({ target: "/callback/" })).response.status).toBe(200);
    expect(clients[0]?.calls.length).toBe(1);
  });

  it("come and go with the configuration", async () => {
    let path = "/old";
    const { send, proxy } = await testProxy(oneCluster([]), { extensions: [extensionWith(() => ({ [path]: answer }))] });
    path = "/new";
    expect((await send({ target: "/new" })).response.status).toBe(503);
    await proxy.update(oneCluster([]));
    expect((await send({ target: "/new" })).response.status).toBe(204);
    expect((await send({ target: "/old" })).response.status).toBe(503);
  });

  it("that throw, reject or say nothing are answered with 500, and told", async () => {
    const endpoints = {
      "/throws": () => {
        throw new Error("thrown");
      },
      "/rejects": () => Promise.reject(new Error("rejected")),
      "/silent": () => {},
    };
    const { send, log } = await testProxy(oneCluster([]), { extensions: [extensionWith(() => endpoints)] });
    for (const path of Object.keys(endpoints)) expect((await send({ target: path })).response.status).toBe(500);
    expect(log.named("endpoint-failed").map(({ fields }) => fields["path"])).toEqual(["/throws", "/rejects", "/silent"]);
  });
});

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { describeLoadBalancingPolicyContract } from "../../../packages/cluster/test/contract/load-balancing-policy.ts";
import { start, type Running } from "../index.ts";
import { weighted } from "../weighted-policy.ts";

const destinations: Server[] = [];
let running: Running;

async function destination(name: string): Promise<string> {
  const server = createServer((_request, response) => response.end(name));
  destinations.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the example", () => {
  afterEach(async () => {
    await running.server.close(100);
    await running.proxy.close();
    for (const server of destinations.splice(0)) {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  });

  test("balances nine to one, and sends canaries aside", async () => {
    let drawn = 0;
    const addresses = { big: await destination("big"), small: await destination("small"), canary: await destination("canary") };
    running = await start(addresses, 0, (bound) => drawn++ % bound);
    const url = `http://127.0.0.1:${running.port}/`;
    const answers: string[] = [];
    for (let i = 0; i < 20; i++) answers.push(await (await fetch(url)).text());
    expect(answers.filter((name) => name === "big")).toHaveLength(18);
    expect(answers.filter((name) => name === "small")).toHaveLength(2);
    expect(await (await fetch(url, { headers: { "x-canary": "yes" } })).text()).toBe("canary");
    expect(drawn).toBe(20);
  });
});

describeLoadBalancingPolicyContract("the weighted policy", () => weighted());

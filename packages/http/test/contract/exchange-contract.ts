import { afterEach, describe, expect, test, type TestContext } from "vitest";
import { bodies } from "./exchange-bodies.ts";
import { type ContractBench, type ExchangeContractOptions, type ServerUnderTest } from "./exchange-bench.ts";
import { connections } from "./exchange-connections.ts";
import { endings } from "./exchange-endings.ts";
import { refusals } from "./exchange-refusals.ts";
import { requests } from "./exchange-requests.ts";
import { responses } from "./exchange-responses.ts";
import { upgrades } from "./exchange-upgrades.ts";
import { RawClient } from "./raw-client.ts";

export type { ExchangeContractOptions, ServerUnderTest } from "./exchange-bench.ts";

const parts = [requests, bodies, responses, connections, endings, upgrades, refusals];

/**
 * The contract of `Exchange`, `ResponseSink`, `BodySource`, `Tunnel` and `FrontServer` for HTTP/1.1 servers, over raw
 * sockets. After every test all connections must be gone.
 */
export function describeExchangeContract(name: string, options: ExchangeContractOptions): void {
  const skip = new Map(Object.entries(options.skip ?? {}));
  const servers: ServerUnderTest[] = [];
  const clients: RawClient[] = [];

  const bench: ContractBench = {
    test(title, run) {
      const reason = skip.get(title);
      skip.delete(title);
      if (reason === undefined) test(title, run);
      else test.skip(`${title} (left out: ${reason})`, run);
    },
    async serve(handler, limits) {
      const server = await options.start(handler, limits);
      servers.push(server);
      return server;
    },
    async connect(server, how) {
      const client = await (options.open ?? RawClient.open)(server.port, how ?? {});
      clients.push(client);
      return client;
    },
  };

  describe(name, () => {
    afterEach(async (context: TestContext) => {
      for (const client of clients.splice(0)) client.destroy();
      for (const server of servers.splice(0)) {
        await server.close(context.task.result?.state === "fail" ? 0 : 1000);
        expect(server.connectionCount).toBe(0);
      }
    });

    for (const part of parts) {
      const reason = options.skipParts?.[part.title];
      if (reason === undefined) describe(part.title, () => part.define(bench));
      else test.skip(`${part.title} (left out: ${reason})`, () => undefined);
    }

    test("names no test to leave out that does not exist", () => {
      expect([...skip.keys()]).toEqual([]);
      const titles = parts.map(({ title }) => title);
      expect(Object.keys(options.skipParts ?? {}).filter((title) => !titles.includes(title))).toEqual([]);
    });
  });
}

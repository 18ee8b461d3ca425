import { afterEach } from "vitest";
import type { ServerLimits } from "../../src/index.ts";
import { WireBench, type WireServerFactory } from "./wire-bench.ts";
import { WireClient, type WireOptions } from "./wire-client.ts";

export interface Connected {
  readonly client: WireClient;
  readonly bench: WireBench;
}

/**
 * Gives a function that starts a server and connects a client. After each test both are closed and looked over: nothing of the
 * connection stays with the server. `inspect` sees each client before that.
 */
export function wireHarness(
  factory: WireServerFactory,
  inspect: (client: WireClient) => void = () => undefined,
): (options?: WireOptions, limits?: Partial<ServerLimits>) => Promise<Connected> {
  const benches: WireBench[] = [];
  const clients: WireClient[] = [];
  afterEach(async () => {
    for (const client of clients) inspect(client);
    for (const client of clients.splice(0)) client.destroy();
    for (const bench of benches.splice(0)) {
      await bench.settled();
      await bench.close();
    }
  });

  return async (options, limits) => {
    const bench = await WireBench.open(factory, limits);
    benches.push(bench);
    const client = WireClient.over(await bench.server.connect(), options);
    clients.push(client);
    return { client, bench };
  };
}

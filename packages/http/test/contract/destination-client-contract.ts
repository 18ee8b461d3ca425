import { afterEach, describe, expect, test } from "vitest";
import type { HttpClient, HttpClientOptions } from "../../src/index.ts";
import type { DestinationBench } from "./destination-bench.ts";
import { sendTo, type RecordedCall } from "./destination-call.ts";
import { destinationConnections } from "./destination-connections.ts";
import { destinationFailures } from "./destination-failures.ts";
import { destinationRequests } from "./destination-requests.ts";
import { destinationResponses } from "./destination-responses.ts";
import { destinationUpgrades } from "./destination-upgrades.ts";
import { RawDestination } from "./raw-destination.ts";
import { turns } from "./recorders.ts";

export interface DestinationContractOptions {
  /** Tests that this client cannot pass: title and the reason, which is shown. */
  readonly skip?: Readonly<Record<string, string>> | undefined;
}

const parts = [destinationRequests, destinationResponses, destinationConnections, destinationUpgrades, destinationFailures];

/**
 * The contract of `HttpClient` and `DestinationClient` for HTTP/1.1, over raw destinations. After each test every request has
 * had exactly one final call (none when it was aborted), and no connection is left.
 */
export function describeDestinationClientContract(
  name: string, makeHttpClient: (options: HttpClientOptions) => HttpClient, options: DestinationContractOptions = {},
): void {
  const skip = new Map(Object.entries(options.skip ?? {}));
  const destinations: RawDestination[] = [];
  const clients: HttpClient[] = [];
  const calls: RecordedCall[] = [];

  const bench: DestinationBench = {
    test(title, run) {
      const reason = skip.get(title);
      skip.delete(title);
      if (reason === undefined) test(title, run);
      else test.skip(`${title} (left out: ${reason})`, run);
    },
    async destination() {
      const destination = await RawDestination.open();
      destinations.push(destination);
      return destination;
    },
    client(destination, settings = {}) {
      const client = makeHttpClient(settings);
      clients.push(client);
      const port = typeof destination === "number" ? destination : destination.port;
      return client.destination({ scheme: "http", host: "127.0.0.1", port });
    },
    send(client, request) {
      const call = sendTo(client, request);
      calls.push(call);
      return call;
    },
  };

  describe(name, () => {
    afterEach(async () => {
      for (const client of clients.splice(0)) client.destroy();
      const open = destinations.splice(0);
      for (const destination of open) await destination.allClosed();
      await turns(2);
      for (const destination of open) await destination.close();
      for (const call of calls.splice(0)) {
        expect(call.problems).toEqual([]);
        expect(call.finals).toBeLessThanOrEqual(1);
      }
    });

    for (const part of parts) describe(part.title, () => part.define(bench));

    test("gives the same client for an equal origin", () => {
      const client = makeHttpClient({});
      const origin = { scheme: "http", host: "127.0.0.1", port: 9 } as const;
      expect(client.destination(origin)).toBe(client.destination({ ...origin }));
      expect(client.destination(origin)).not.toBe(client.destination({ ...origin, port: 10 }));
      client.destroy();
    });

    test("names no test to leave out that does not exist", () => {
      expect([...skip.keys()]).toEqual([]);
    });
  });
}

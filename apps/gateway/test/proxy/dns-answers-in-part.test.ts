import { nodeDnsLookup } from "@proxy/cluster";
import { expect, test } from "vitest";
import { startDnsServer } from "../support/dns-server.ts";

test("addresses of one family do not vanish because the name server failed at them alone", async () => {
  const both = [{ ttl: 60, address: "10.0.0.1" }, { ttl: 60, address: "2001:db8::1" }];
  await using server = await startDnsServer({ "both.test": both, "six.test": both.slice(1) });
  const lookup = nodeDnsLookup({ source: "dns", servers: [server.address] });
  const addresses = async (host: string): Promise<string[]> => (await lookup.addresses(host)).map(({ address }) => address).toSorted();
  expect(await addresses("both.test")).toEqual(["10.0.0.1", "2001:db8::1"]);
  server.failing = "A";
  await expect(addresses("both.test")).rejects.toMatchObject({ code: "ESERVFAIL" });
  // One that never had any is used as far as it is known.
  expect(await addresses("six.test")).toEqual(["2001:db8::1"]);
  server.failing = undefined;
  server.records = { "both.test": both.slice(1) };
  expect(await addresses("both.test")).toEqual(["2001:db8::1"]);
});

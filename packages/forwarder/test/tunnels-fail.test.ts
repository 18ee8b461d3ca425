import { expect, test } from "vitest";
import { FakeUpgrade } from "./doubles/fake-tunnel.ts";
import { UpgradeBench } from "./doubles/upgrade-bench.ts";

const headers = [["Connection", "Upgrade"], ["Upgrade", "websocket"], ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="]] as const;

function joined(): UpgradeBench {
  const bench = new UpgradeBench(new FakeUpgrade("websocket"), { version: "1.1" }, { headers });
  bench.switch(101, [["Connection", "Upgrade"], ["Upgrade", "websocket"]]);
  return bench;
}

const failed = (syscall: "read" | "write"): Error => Object.assign(new Error(`${syscall} failed`), { syscall });

test.each([
  ["reading from the client", "UpgradeRequestClient", "client", (bench: UpgradeBench) => bench.upgrade?.tunnel.lose(failed("read"))],
  ["writing to the client", "UpgradeResponseClient", "client", (bench: UpgradeBench) => bench.upgrade?.tunnel.lose(failed("write"))],
  ["reading from the destination", "UpgradeResponseDestination", "destination", (bench: UpgradeBench) => bench.destination.lose(failed("read"))],
  ["writing to the destination", "UpgradeRequestDestination", "destination", (bench: UpgradeBench) => bench.destination.lose(failed("write"))],
] as const)("%s that fails is %s, of the %s, and both ends are cut", (_, code, source, strike) => {
  const bench = joined();
  strike(bench);
  expect([bench.done, bench.outcome?.code, bench.outcome?.source, bench.outcome?.retry, bench.outcome?.status]).toEqual([1, code, source, "never", undefined]);
  expect(bench.upgrade?.tunnel.aborted).toBeInstanceOf(Error);
  expect(bench.destination.aborted).toBeInstanceOf(Error);
});

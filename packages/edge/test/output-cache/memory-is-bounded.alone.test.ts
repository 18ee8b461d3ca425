/** In a process of its own, since it looks at the memory of all. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { HeaderList } from "@proxy/http";
import { memoryOutputCacheStore } from "../../src/index.ts";
import { ownText } from "../../src/output-cache/own-text.ts";
import { entryOf } from "./store-contract.ts";

it("what is kept keeps nothing of the messages that it came from", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const store = memoryOutputCacheStore({ sizeLimit: 100_000_000, maxVariants: 8 });
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 2000; i++) {
    // As a front server cuts it out of what it read.
    const message = Buffer.from(`${"x".repeat(32_000)}/a/path/that/is/long/enough/to/be/cut/out/${i}`).toString("latin1");
    const part = message.slice(32_000);
    const headers = HeaderList.from([["X-Part", part], ["Content-Length", "4"]]).packed();
    store.put(ownText(`${part.length}:${part}`), entryOf("text", { headers, partition: ownText(part), vary: [["x", ownText(`=${part}`)]] }));
  }
  collect();
  // 64 MB where the messages stay.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
  // Still in use: it must not have been collected.
  expect(store.get("another")).toBeUndefined();
});

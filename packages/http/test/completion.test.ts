import { describe, expect, it } from "vitest";
import { Completion } from "../src/index.ts";

describe("a completion", () => {
  it("tells its listener at once, and once", () => {
    const completion = new Completion();
    let told = 0;
    completion.tell({ completed: () => told++ });
    expect(told).toBe(0);
    completion.complete();
    completion.complete();
    expect(told).toBe(1);
  });

  it("tells a listener that comes late", () => {
    const completion = new Completion();
    completion.complete();
    let told = 0;
    completion.tell({ completed: () => told++ });
    expect(told).toBe(1);
  });

  it("can be awaited before and after its end", async () => {
    const completion = new Completion();
    const order: string[] = [];
    const waiting = (async () => {
      await completion;
      order.push("awaited");
    })();
    void completion.finally(() => order.push("finally"));
    completion.tell({ completed: () => order.push("listener") });
    completion.complete();
    expect(order).toEqual(["listener"]);
    await waiting;
    await completion.then(() => order.push("then"));
    await completion.catch(() => order.push("never"));
    expect(order.toSorted()).toEqual(["awaited", "finally", "listener", "then"]);
    await expect(Promise.resolve(completion)).resolves.toBeUndefined();
  });
});

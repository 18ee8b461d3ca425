import { expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { until } from "../../http/test/contract/recorders.ts";
import { describeGateways } from "./doubles/gateway.ts";

const rest = "\r\n\r\n";
const count = 60;

describeGateways("after many requests of all kinds", (open) => {
  test("no timer, connection or outcome is left over", async () => {
    const gateway = await open();
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown): void => void unhandled.push(error);
    process.on("uncaughtExceptionMonitor", onUnhandled);
    // Each destination connection fails, or answers, in the way its number says.
    void (async () => {
      for (let i = 0; ; i++) {
        const connection = await gateway.destination.accept();
        void (async () => {
          for (;;) {
            await connection.readUntil(rest);
            const way = i % 6;
            if (way === 0) connection.reset();
            else if (way === 1) connection.end();
            else if (way === 2) connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart");
            else if (way === 3) connection.write("nonsense\r\n\r\n");
            else connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            if (way === 2) connection.reset();
          }
        })().catch(() => {});
      }
    })();
    await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const client = await gateway.connect();
        const body = index % 2 === 0 ? "Content-Length: 0\r\n\r\n" : "Content-Length: 400000\r\n\r\n";
        client.write(`POST /${index} HTTP/1.1\r\nHost: a\r\n${body}`);
        if (index % 2 === 1) {
          for (let i = 0; i < 10; i++) client.write("x".repeat(40_000));
        }
        if (index % 5 === 0) client.reset();
        else await client.readResponse("POST").catch(() => {});
      }),
    );
    for (const exchange of gateway.exchanges) expect(exchange.response.ended || exchange.response.started).toBe(true);
    await until(() => gateway.outcomes.length === gateway.exchanges.length);
    expect(gateway.timers.size).toBe(0);
    process.off("uncaughtExceptionMonitor", onUnhandled);
    expect(unhandled).toEqual([]);
  });
});
